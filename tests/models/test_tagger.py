"""The tagger on arrays: both heads, every encoder, constraints, `.keras` files."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients, tag_schemes
from seqnlp.layers import CRF, CharCNN, CharLSTM, TokenSoftmax
from seqnlp.metrics import TokenAccuracy
from seqnlp.models import Tagger

NAMES = ["O", "B-a", "I-a"]
ALLOWED = tag_schemes.allowed_transitions(NAMES, "bio")
RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(1, 6, size=8)
MASK = np.arange(5) < LENGTHS[:, None]
INPUTS = {
    "word_ids": RANDOM.integers(1, 10, size=(8, 5)) * MASK,
    "char_ids": RANDOM.integers(1, 7, size=(8, 5, 4)) * MASK[..., None],
}
TAGS = np.zeros((8, 5), dtype="int32")
for _row, _length in enumerate(LENGTHS):  # legal tags, at random
    for _at in range(_length):
        _last = TAGS[_row, _at - 1] if _at else 0
        TAGS[_row, _at] = RANDOM.integers(3 if _last else 2)

# Eager loops are slow on JAX; on TensorFlow, XLA compiles longer than these models run.
JIT = keras.backend.backend() == "jax"
SMALL = {"vocabulary_size": 10, "word_units": 8, "units": 8, "dropout": 0.0}


def make(head=CRF, char_encoder=CharCNN, **arguments):
    """A tagger with new layers of the classes given."""
    keras.utils.set_random_seed(0)
    policy = {"dtype": arguments["dtype"]} if "dtype" in arguments else {}
    spelling = None if char_encoder is None else char_encoder(7, **policy)
    model = Tagger(head=head(3), char_encoder=spelling, **{**SMALL, **arguments})
    model.build({name: ids.shape for name, ids in INPUTS.items()})
    model.compile(keras.optimizers.Adam(0.03), metrics=[TokenAccuracy()], jit_compile=JIT)
    return model


def predict(model, inputs=INPUTS):
    return model.predict(inputs, verbose=0)


def constrained(num_tags):
    return CRF(num_tags, ALLOWED)


@pytest.fixture(scope="module", params=[constrained, TokenSoftmax])
def fitted(request):
    model = make(head=request.param)
    history = model.fit(INPUTS, TAGS, batch_size=8, epochs=60, verbose=0)
    return model, history.history["loss"]


def test_learns_a_tiny_corpus_by_heart(fitted):
    model, losses = fitted
    assert losses[-1] < 0.2 * losses[0]
    scores = model.evaluate(INPUTS, TAGS, batch_size=8, verbose=0, return_dict=True)
    assert scores["token_accuracy"] == 1
    np.testing.assert_array_equal(predict(model)["tags"], TAGS)


def test_marginals_sum_to_one_and_agree_with_the_tags(fitted):
    outputs = predict(fitted[0])
    marginals = ops.convert_to_numpy(fitted[0].marginals(outputs))
    np.testing.assert_allclose(marginals.sum(axis=-1), MASK, atol=1e-4)
    np.testing.assert_array_equal(marginals.argmax(axis=-1)[MASK], TAGS[MASK])


def test_a_saved_model_predicts_the_same_and_goes_on_training(fitted, tmp_path):
    model, losses = fitted
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = predict(model)
    for name, values in predict(loaded).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-5)
    again = loaded.fit(INPUTS, TAGS, batch_size=8, epochs=1, verbose=0).history["loss"]
    assert again[-1] < 0.2 * losses[0]  # characters are dropped at random in training
    assert int(loaded.optimizer.iterations) == 61


@pytest.mark.slow
def test_a_fresh_process_loads_a_saved_model(fitted, tmp_path):
    model, _ = fitted
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **INPUTS)
    program = f"""
import keras, numpy as np
import seqnlp.models
model = keras.models.load_model({str(tmp_path / "model.keras")!r})
inputs = dict(np.load({str(tmp_path / "inputs.npz")!r}))
np.save({str(tmp_path / "tags.npy")!r}, model.predict(inputs, verbose=0)["tags"])
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_array_equal(np.load(tmp_path / "tags.npy"), TAGS)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_constraints_hold_in_predictions_without_training(policy):
    model = make(constrained, char_encoder=None, dtype=policy)
    for weight in model.trainable_weights:
        weight.assign(3 * weight)
    words = np.random.default_rng(1).integers(1, 10, size=(64, 5))
    for row in predict(model, {"word_ids": words})["tags"]:
        assert tag_schemes.first_illegal([NAMES[tag] for tag in row], "bio") is None


@pytest.mark.parametrize("head", [CRF, TokenSoftmax])
def test_mixed_precision_trains_and_answers_in_float32(head):
    model = make(head, dtype="mixed_bfloat16")
    losses = model.fit(INPUTS, TAGS, batch_size=8, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert predict(model)["potentials"].dtype == "float32"
    assert {keras.backend.standardize_dtype(w.dtype) for w in model.weights} == {"float32"}


@pytest.mark.parametrize("char_encoder", [None, CharCNN, CharLSTM])
def test_reads_characters_with_the_encoder_given(char_encoder):
    model = make(char_encoder=char_encoder)
    call = gradients.compiled(lambda words, chars: model({"word_ids": words, "char_ids": chars}))
    one = call(INPUTS["word_ids"], INPUTS["char_ids"])["potentials"]
    other = call(INPUTS["word_ids"], INPUTS["char_ids"][..., ::-1])["potentials"]
    same = np.allclose(ops.convert_to_numpy(one), ops.convert_to_numpy(other))
    assert same == (char_encoder is None)


def test_each_cell_and_depth_has_its_weights():
    def count(**arguments):
        return make(char_encoder=None, **arguments).encoder.count_params()

    vanilla = 2 * 8 * (8 + 8 + 1)
    assert count(cell="vanilla") == vanilla
    assert count(cell="lstm") == 4 * vanilla
    assert count(cell="gru") == 3 * vanilla + 2 * 3 * 8  # a second bias, as `reset_after` has it
    assert count(cell="vanilla", num_layers=2) == vanilla + 2 * 8 * (16 + 8 + 1)


def test_config_makes_the_same_tagger():
    model = make(constrained, cell="gru", num_layers=2)
    again = Tagger.from_config(model.get_config())
    again.build({name: ids.shape for name, ids in INPUTS.items()})
    again.set_weights(model.get_weights())
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.head.allowed_transitions, ALLOWED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "crf"}, "`head` must be a tagging head such as CRF.* Received: head='crf'"),
        ({"char_encoder": "cnn"}, "`char_encoder` must be None or a .*: char_encoder='cnn'"),
        ({"label_head": 7}, "`label_head` must be None or a SentenceSoftmax. Rec.*label_head=7"),
        ({"cell": "tree"}, "`cell` must be one of .* Received: cell='tree'"),
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be at least 1. Received: num_layers=0"),
        ({"word_units": 0}, "`word_units` must be at least 1. Received: word_units=0"),
        ({"vocabulary_size": 0}, "`vocabulary_size` must be at least 1. Received: vocabulary_siz"),
    ],
)
def test_refuses_arguments_that_make_no_tagger(arguments, message):
    with pytest.raises(ValueError, match=message):
        Tagger(**{**SMALL, "head": CRF(3), **arguments})


@pytest.mark.parametrize("char_encoder", [CharCNN, CharLSTM])
def test_each_spelling_once_gives_the_same_tags_losses_and_gradients(char_encoder):
    model = make(char_encoder=char_encoder)
    distinct, rows = np.unique(INPUTS["char_ids"].reshape(-1, 4), axis=0, return_inverse=True)
    once = {
        "word_ids": INPUTS["word_ids"],
        "spellings": (distinct[:5], distinct[5:]),
        "spelling_ids": rows.reshape(MASK.shape).astype("int32"),
    }

    def loss(variables, inputs):
        mapping = list(zip(model.trainable_variables, variables, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return model.compute_loss(y=TAGS, y_pred=model(inputs))

    variables = [variable.value for variable in model.trainable_variables]
    found = gradients.compiled(gradients.value_and_gradient(loss))
    for one, other in zip(found(variables, once), found(variables, INPUTS), strict=True):
        for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True):
            np.testing.assert_allclose(
                ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-4, atol=1e-5
            )
