"""BERT against Hugging Face's, whose weights and answers write_huggingface.py wrote."""

import pathlib
import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.compat.bert_weights import assign, tensors_of
from seqnlp.models.bert import BERTEncoder, BERTPretrainer

FOUND = np.load(pathlib.Path(__file__).parent / "fixtures" / "huggingface_bert.npz")
WEIGHTS = {
    name.removeprefix("weights/"): FOUND[name] for name in FOUND if name.startswith("weights/")
}
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
SIZES = {"units": 32, "num_layers": 2, "num_heads": 4, "feed_forward_units": 48}
TOKENS, SEGMENTS = (FOUND[name].astype("int32") for name in ("token_ids", "segment_ids"))
POSITIONS = np.tile(np.arange(20, dtype="int32"), (4, 1))
INPUTS = {"token_ids": TOKENS, "segment_ids": SEGMENTS, "positions": POSITIONS}


def own():
    return {name: array for name, array in WEIGHTS.items() if name not in TIED}


@pytest.fixture
def model():
    made = BERTPretrainer(BERTEncoder(61, **SIZES, max_length=24))
    made.build({name: ids.shape for name, ids in INPUTS.items()})
    return made


def test_states_and_logits_are_those_of_hugging_face(model):
    assign(model, own(), "fixture")
    read = {name: INPUTS[name] for name in ("token_ids", "segment_ids")}
    real = TOKENS != 0
    states = model.encoder(read)
    np.testing.assert_allclose(
        ops.convert_to_numpy(states["tokens"])[real], FOUND["tokens"][real], rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(states["pooled"]), FOUND["pooled"], rtol=1e-4, atol=1e-4
    )
    logits = {name: ops.convert_to_numpy(x) for name, x in model(INPUTS).items()}
    np.testing.assert_allclose(
        logits["masked_lm"][real], FOUND["masked_lm"][real], rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        logits["next_sentence"], FOUND["next_sentence"], rtol=1e-4, atol=1e-4
    )


def test_the_heads_answer_at_the_chosen_places_alone(model):
    chosen = np.array([[3, 0], [7, 2], [1, 4], [0, 0]], dtype="int32")
    whole = ops.convert_to_numpy(model(INPUTS)["masked_lm"])
    found = ops.convert_to_numpy(model({**INPUTS, "positions": chosen})["masked_lm"])
    expected = np.take_along_axis(whole, chosen[..., None], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_weights_come_back_as_they_went_in(model):
    assign(model, own(), "fixture")
    found = tensors_of(model)
    assert set(found) == set(own())
    for name, array in own().items():
        np.testing.assert_array_equal(found[name], array)


def test_the_table_of_tokens_is_what_scores_them():
    for name, other in zip(
        TIED, ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias"), strict=True
    ):
        np.testing.assert_array_equal(WEIGHTS[name], WEIGHTS[other])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"bert.pooler.dense.bias": None},
            "here: expected the weights of a BERT of this size. "
            "Missing: bert.pooler.dense.bias. One too many: none.",
        ),
        (
            {"bert.encoder.layer.2.output.dense.bias": np.zeros(32)},
            "here: expected the weights of a BERT of this size. "
            "Missing: none. One too many: bert.encoder.layer.2.output.dense.bias.",
        ),
        (
            {"bert.encoder.layer.1.intermediate.dense.weight": np.zeros((32, 48))},
            "here: bert.encoder.layer.1.intermediate.dense.weight: expected shape (48, 32), "
            "received (32, 48).",
        ),
    ],
)
def test_other_weights_are_named(model, change, message):
    tensors = {name: x for name, x in {**own(), **change}.items() if x is not None}
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        assign(model, tensors, "here")
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_keras_file_keeps_the_model(model, tmp_path):
    model.save(tmp_path / "bert.keras")
    loaded = keras.models.load_model(tmp_path / "bert.keras")
    for name, expected in model(INPUTS).items():
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (loaded(INPUTS)[name], expected)))
