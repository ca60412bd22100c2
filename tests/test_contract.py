"""What every public layer and model must do, from one table."""

import functools
import inspect
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops, tree

import seqnlp.layers
import seqnlp.metrics
import seqnlp.models
from seqnlp import gradients
from seqnlp.layers import (
    CRF,
    GRU,
    LSTM,
    BahdanauAttention,
    CharCNN,
    CharLSTM,
    CrossAttention,
    FinalState,
    GatedConv,
    GatedLinearUnit,
    Highway,
    LastPooling,
    LearnedPositions,
    LuongAttention,
    MaxPooling,
    MeanPooling,
    MultiStepAttention,
    RNNDecoder,
    RNNEncoder,
    SelfAttention,
    SemiMarkovCRF,
    SentenceSoftmax,
    SinePositions,
    TokenSoftmax,
    TransformerDecoder,
    TransformerEncoder,
    VanillaRNN,
    WeightNormalizedDense,
    crf_log_norm,
)
from seqnlp.models import (
    GPT,
    BERTClassifier,
    BERTEncoder,
    BERTPretrainer,
    BERTRegressor,
    BERTSpanExtractor,
    BERTTagger,
    ConvSeq2Seq,
    CRFModel,
    MaskedLMHead,
    NextSentenceHead,
    RNNSeq2Seq,
    Tagger,
    TransformerSeq2Seq,
)

JAX = keras.backend.backend() == "jax"
TIME, NUM_TAGS = 4, 3
RANDOM = np.random.default_rng(0)
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
VALUES = RANDOM.normal(size=(3, TIME, 5)).astype("float32")
POTENTIALS = RANDOM.normal(size=(3, TIME, NUM_TAGS)).astype("float32")
WORDS = (RANDOM.integers(1, 9, size=(3, TIME)) * MASK).astype("int32")
CHARS = (RANDOM.integers(1, 7, size=(3, TIME, 3)) * MASK[..., None]).astype("int32")
TAGS = (WORDS % NUM_TAGS).astype("int32")
ALLOWED = np.ones((NUM_TAGS + 1, NUM_TAGS + 1), dtype=bool)
ALLOWED[0, 1] = ALLOWED[-1, 2] = False


class Case(NamedTuple):
    """A layer to make, its call arguments, and what to differentiate."""

    make: Callable
    inputs: dict
    loss: Callable = lambda layer, outputs: sum(ops.sum(x * x) for x in tree.flatten(outputs))
    loops: bool = False  # eager loops take minutes on JAX
    pads: bool = True  # whether all inputs have an axis of time behind that of the batch


def crf_model(dtype=None):
    words = keras.Input((None,), dtype="int32", name="words")
    vectors = keras.layers.Embedding(9, 4, mask_zero=True, dtype=dtype)(words)
    potentials = keras.layers.Dense(NUM_TAGS, dtype=dtype)(vectors)
    return CRFModel({"words": words}, CRF(NUM_TAGS, ALLOWED)(potentials))


def crf_tagger(dtype=None):
    sizes = {"word_units": 4, "units": 6, "num_layers": 2}
    return Tagger(9, CRF(NUM_TAGS, ALLOWED), CharCNN(7, dtype=dtype), **sizes, dtype=dtype)


def softmax_tagger(dtype=None):
    sizes = {"word_units": 4, "units": 6, "num_layers": 2, "cell": "gru"}
    return Tagger(9, TokenSoftmax(NUM_TAGS), CharLSTM(7, dtype=dtype), **sizes, dtype=dtype)


def joint_tagger(dtype=None):
    heads = {"head": CRF(NUM_TAGS), "label_head": SentenceSoftmax(2, MaxPooling(), dtype=dtype)}
    return Tagger(9, **heads, word_units=4, units=3, dtype=dtype)


def conv_seq2seq(share_embeddings=False, dtype=None):
    sizes = {"units": 6, "num_layers": 2, "embedding_units": 4, "num_decoder_layers": 3}
    return ConvSeq2Seq(9, 9, **sizes, share_embeddings=share_embeddings, dtype=dtype)


def rnn_seq2seq(dtype=None):
    attention = BahdanauAttention(4, dtype=dtype)
    decoder = RNNDecoder(4, attention=attention, dtype=dtype)
    encoder = RNNEncoder(3, "gru", dtype=dtype)
    return RNNSeq2Seq(9, 9, encoder, decoder, 5, "backward", dtype=dtype)


def fed_decoder(dtype=None):
    feeding = {"attend": "after", "input_feeding": True}
    return RNNDecoder(3, "lstm", 2, LuongAttention(dtype=dtype), **feeding, dtype=dtype)


def context_decoder(dtype=None):
    feeding = {"attend": "after", "input_feeding": True, "readout": "context"}
    return RNNDecoder(3, attention=BahdanauAttention(4, dtype=dtype), **feeding, dtype=dtype)


def linear_decoder(dtype=None):
    feeding = {"attend": "after", "input_feeding": "linear", "readout_units": 5}
    attention = LuongAttention(dtype=dtype)
    return RNNDecoder(3, "lstm", 1, attention, **feeding, readout="state", dtype=dtype)


def bert_encoder(dtype=None):
    sizes = {"units": 4, "num_layers": 2, "num_heads": 2, "feed_forward_units": 3}
    return BERTEncoder(9, **sizes, max_length=8, dtype=dtype)


def bert_pretrainer(dtype=None):
    return BERTPretrainer(bert_encoder(dtype=dtype), dtype=dtype)


def bert_tagger(dtype=None):
    heads = {"head": CRF(NUM_TAGS, ALLOWED), "label_head": SentenceSoftmax(2, dtype=dtype)}
    return BERTTagger(bert_encoder(dtype=dtype), **heads, dtype=dtype)


def bert_tagger_in_parts(dtype=None):
    return BERTTagger(bert_encoder(dtype=dtype), TokenSoftmax(NUM_TAGS), dtype=dtype)


def bert_classifier(dtype=None):
    return BERTClassifier(bert_encoder(dtype=dtype), 3, dtype=dtype)


def bert_regressor(dtype=None):
    return BERTRegressor(bert_encoder(dtype=dtype), dtype=dtype)


def span_extractor(dtype=None):
    return BERTSpanExtractor(bert_encoder(dtype=dtype), dtype=dtype)


def chosen_spans(model, outputs):
    """Where nothing may be chosen, logits are too large for their squares."""
    return sum(ops.sum(ops.logsumexp(x, axis=1)) for x in outputs.values())


def crf_norm(layer, outputs):
    return ops.sum(crf_log_norm(outputs["potentials"], outputs["mask"], *layer.scores()))


def model_loss(model, outputs):
    labels = {"tags": TAGS, "label": TAGS[:, 0] // 2}
    return model.compute_loss(y=labels, y_pred=outputs)


SEQUENCE = {"values": VALUES, "mask": MASK}
RECURRENT = {"inputs": VALUES, "mask": MASK}
ATTENTION = {"query": VALUES, "value": VALUES[::-1], "value_mask": MASK, "query_mask": MASK}
DECODING = {"inputs": VALUES, "value": VALUES[::-1], "value_mask": MASK, "inputs_mask": MASK}
TWO_SPANS = {"token_ids": WORDS, "segment_ids": (np.arange(TIME) > 1) * MASK.astype("int32")}
PLACES = np.array([[0, 3], [1, 0], [0, 0]], dtype="int32")
FIRST_PIECES = np.array([[1, 2, 3, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype="int32")
PIECES_IN_PARTS = np.array([[1, 2, 7, 5], [1, 4, 0, 0], [5, 6, 0, 0]], dtype="int32")
IN_PARTS = {name: np.stack([ids, ids[::-1]], axis=1) for name, ids in TWO_SPANS.items()}
SENTENCE_PAIR = {"source_ids": WORDS, "target_ids": (WORDS * 5 % 9).astype("int32")}
WORDS_AND_CHARS = {"word_ids": WORDS, "char_ids": CHARS}
STATES = RANDOM.normal(size=(3, TIME, 4)).astype("float32")
CASES = {
    "CRF": Case(
        functools.partial(CRF, NUM_TAGS, ALLOWED),
        {"potentials": POTENTIALS, "mask": MASK},
        crf_norm,
        loops=True,
    ),
    "BahdanauAttention": Case(functools.partial(BahdanauAttention, 4), ATTENTION),
    "BahdanauAttention, local-p": Case(
        functools.partial(BahdanauAttention, 4, normalize=True, alignment="local-p", half_width=4),
        ATTENTION,
    ),
    "BahdanauAttention, monotonic": Case(
        functools.partial(BahdanauAttention, 4, use_bias=True, alignment="monotonic"),
        ATTENTION,
        loops=True,
    ),
    "CharCNN": Case(functools.partial(CharCNN, 7, 4, 6), {"char_ids": CHARS}),
    "CharCNN, Kim": Case(
        functools.partial(
            CharCNN, 7, 4, (2, 3), (1, 4), activation="tanh", num_highways=2, dropout=0.0
        ),
        {"char_ids": CHARS},
    ),
    "CrossAttention": Case(
        functools.partial(CrossAttention, 2),
        {"query": STATES, "value": VALUES, "value_mask": MASK},
    ),
    "CharLSTM": Case(functools.partial(CharLSTM, 7, 4, 5), {"char_ids": CHARS}, loops=True),
    "GatedConv": Case(functools.partial(GatedConv, 5), RECURRENT),
    "GatedConv, causal": Case(functools.partial(GatedConv, 3, 4, True, residual=False), RECURRENT),
    "GatedLinearUnit": Case(GatedLinearUnit, {"inputs": VALUES[..., :4]}),
    "Highway": Case(Highway, {"inputs": VALUES}),
    "GRU": Case(functools.partial(GRU, 3, "both", start="learned"), RECURRENT, loops=True),
    "GRU, reset before": Case(
        functools.partial(GRU, 3, "backward", reset_after=False), RECURRENT, loops=True
    ),
    "LSTM": Case(functools.partial(LSTM, 3), RECURRENT, loops=True),
    "LastPooling": Case(LastPooling, SEQUENCE),
    "LearnedPositions": Case(functools.partial(LearnedPositions, 8), RECURRENT),
    "LuongAttention": Case(functools.partial(LuongAttention, "projected", 4), ATTENTION),
    "LuongAttention, local-m": Case(
        functools.partial(LuongAttention, "concat", alignment="local-m", half_width=1), ATTENTION
    ),
    "LuongAttention, monotonic": Case(
        functools.partial(LuongAttention, learn_scale=True, alignment="monotonic-recursive"),
        ATTENTION,
        loops=True,
    ),
    "MaxPooling": Case(MaxPooling, SEQUENCE),
    "MeanPooling": Case(MeanPooling, SEQUENCE),
    "MultiStepAttention": Case(
        MultiStepAttention,
        {"states": VALUES, **dict.fromkeys(("target", "key", "value"), VALUES[..., :4])}
        | {"value_mask": MASK},
    ),
    "FinalState": Case(FinalState, ATTENTION),
    "RNNDecoder": Case(
        lambda dtype=None: RNNDecoder(3, attention=BahdanauAttention(4, dtype=dtype), dtype=dtype),
        DECODING,
        loops=True,
    ),
    "RNNDecoder, fed": Case(fed_decoder, DECODING, loops=True),
    "RNNDecoder, context": Case(context_decoder, DECODING, loops=True),
    "RNNDecoder, linear": Case(linear_decoder, DECODING, loops=True),
    "RNNEncoder": Case(
        functools.partial(RNNEncoder, 3, num_layers=2, residual=True), RECURRENT, loops=True
    ),
    "RNNEncoder, Keras": Case(
        functools.partial(RNNEncoder, 3, implementation="keras"), RECURRENT, loops=True
    ),
    "VanillaRNN": Case(functools.partial(VanillaRNN, 3), RECURRENT, loops=True),
    "SelfAttention": Case(functools.partial(SelfAttention, 2), {"inputs": STATES, "mask": MASK}),
    "SelfAttention, window": Case(
        functools.partial(SelfAttention, 2, causal=True, window=1),
        {"inputs": STATES, "mask": MASK},
    ),
    "SinePositions": Case(SinePositions, RECURRENT),
    "WeightNormalizedDense": Case(functools.partial(WeightNormalizedDense, 3), {"inputs": VALUES}),
    "SemiMarkovCRF": Case(
        functools.partial(SemiMarkovCRF, [[0, -1, -1, -1, 0, -1], [1, 1, 2, 2, 1, 1]], 3),
        {"potentials": POTENTIALS[..., :2], "mask": MASK},
        lambda head, outputs: ops.sum(head.negative_log_likelihood(TAGS, outputs)),
        loops=True,
    ),
    "TokenSoftmax": Case(
        functools.partial(TokenSoftmax, NUM_TAGS), {"potentials": POTENTIALS, "mask": MASK}
    ),
    "SentenceSoftmax": Case(
        functools.partial(SentenceSoftmax, 3),
        {"states": VALUES, "mask": MASK},
        lambda layer, outputs: ops.sum(outputs["label_logits"] ** 2),
    ),
    "TransformerDecoder": Case(
        functools.partial(TransformerDecoder, 1, 2, 3),
        {"target": STATES, "source": VALUES, "target_mask": MASK, "source_mask": MASK},
    ),
    "TransformerEncoder": Case(
        functools.partial(TransformerEncoder, 2, 2, 3), {"inputs": STATES, "mask": MASK}
    ),
    "TransformerEncoder, post-norm": Case(
        functools.partial(TransformerEncoder, 1, 2, 3, "gelu", "post", [0.1, 0.1, 0.1], True, 1),
        {"inputs": STATES, "mask": MASK},
    ),
    "TransformerSeq2Seq": Case(
        functools.partial(TransformerSeq2Seq, 9, 9, 4, 2, 3, 1), SENTENCE_PAIR
    ),
    "TransformerSeq2Seq, learned": Case(
        functools.partial(
            TransformerSeq2Seq, 9, 9, 4, 2, 3, [1, 1], 0.1, 8, "post", share_embeddings=True
        ),
        SENTENCE_PAIR,
    ),
    "BERTClassifier": Case(bert_classifier, TWO_SPANS),
    "BERTEncoder": Case(bert_encoder, TWO_SPANS),
    "GPT": Case(functools.partial(GPT, 9, 4, 1, 2, 6, 8), {"token_ids": WORDS}),
    "BERTPretrainer": Case(bert_pretrainer, {**TWO_SPANS, "positions": PLACES}, pads=False),
    "BERTTagger": Case(
        bert_tagger, {**TWO_SPANS, "word_positions": FIRST_PIECES}, model_loss, True, pads=False
    ),
    "BERTTagger, in parts": Case(
        bert_tagger_in_parts,
        {**IN_PARTS, "word_positions": PIECES_IN_PARTS},
        model_loss,
        pads=False,
    ),
    "BERTRegressor": Case(bert_regressor, TWO_SPANS),
    "BERTSpanExtractor": Case(span_extractor, TWO_SPANS, chosen_spans),
    "MaskedLMHead": Case(
        functools.partial(MaskedLMHead, TIME),
        {"states": VALUES, "positions": PLACES, "embeddings": VALUES[0]},
        pads=False,
    ),
    "NextSentenceHead": Case(NextSentenceHead, {"pooled": VALUES[:, 0]}, pads=False),
    "ConvSeq2Seq": Case(conv_seq2seq, SENTENCE_PAIR),
    "ConvSeq2Seq, one table": Case(functools.partial(conv_seq2seq, True), SENTENCE_PAIR),
    "CRFModel": Case(crf_model, {"words": WORDS}, model_loss, loops=True),
    "RNNSeq2Seq": Case(rnn_seq2seq, SENTENCE_PAIR, loops=True),
    "Tagger": Case(crf_tagger, WORDS_AND_CHARS, model_loss, loops=True),
    "Tagger, joint": Case(joint_tagger, {"word_ids": WORDS}, model_loss, loops=True),
    "Tagger, softmax": Case(softmax_tagger, WORDS_AND_CHARS, model_loss, loops=True),
}
# These give back what stands at padding as it is.
MAY_SPREAD = {
    "CRF",
    "CrossAttention",
    "GatedLinearUnit",
    "Highway",
    "LearnedPositions",
    "MultiStepAttention",
    "SemiMarkovCRF",
    "SinePositions",
    "TokenSoftmax",
    "WeightNormalizedDense",
}
# In mixed precision: logits and weights of attention stay in float32.
DTYPES = {
    "BERTClassifier": {"float32"},
    "BERTEncoder": {"bfloat16"},
    "BERTRegressor": {"float32"},
    "BahdanauAttention": {"bfloat16", "float32"},
    "ConvSeq2Seq": {"float32"},
    "FinalState": {"bfloat16", "float32"},
    "LuongAttention": {"bfloat16", "float32"},
    "GPT": {"float32"},
    "MaskedLMHead": {"float32"},
    "MultiStepAttention": {"bfloat16", "float32"},
    "NextSentenceHead": {"float32"},
    "RNNDecoder": {"bfloat16", "float32"},
    "RNNSeq2Seq": {"float32"},
    "TransformerSeq2Seq": {"float32"},
}
WITHOUT_WEIGHTS = {
    "FinalState",
    "GatedLinearUnit",
    "LastPooling",
    "MaxPooling",
    "MeanPooling",
    "SinePositions",
    "TokenSoftmax",
}
CLASSES = {
    name: cls
    for module in (seqnlp.layers, seqnlp.models)
    for name, cls in vars(module).items()
    if inspect.isclass(cls) and issubclass(cls, keras.layers.Layer) and not name.startswith("_")
}


@functools.cache
def built(name, dtype=None):
    """The case's layer with random weights."""
    keras.utils.set_random_seed(1)
    layer = CASES[name].make(dtype=dtype)
    if not layer.built:
        shapes = {key: tuple(array.shape) for key, array in CASES[name].inputs.items()}
        if isinstance(layer, keras.Model):
            layer.build(shapes)
        else:
            layer.build(**{f"{key}_shape": shape for key, shape in shapes.items()})
    random = np.random.default_rng(2)
    layer.set_weights([random.normal(size=w.shape, scale=0.5) for w in layer.weights])
    return layer


def call(layer, inputs):
    if isinstance(layer, keras.Model):
        return layer(inputs, training=False)
    return layer(**inputs)


def answer(layer, inputs, compiled=JAX):
    """The layer's outputs, as a flat list of arrays."""
    function = gradients.compiled(call_of(layer)) if compiled else call_of(layer)
    return [ops.convert_to_numpy(x) for x in tree.flatten(function(inputs))]


def call_of(layer):
    def function(inputs):
        with (
            keras.StatelessScope()
        ):  # Keras' recurrent layers draw seeds even where they drop none
            return call(layer, inputs)

    return function


def assert_all_close(actual, expected, **tolerance):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-4, "atol": 1e-5, **tolerance})


@pytest.fixture(params=CASES)
def name(request):
    return request.param


def test_every_public_layer_and_model_is_in_the_table():
    assert set(CLASSES) == {name.split(",")[0] for name in CASES}


@pytest.mark.parametrize(
    "cls", [*CLASSES.values(), seqnlp.metrics.Pearson, seqnlp.metrics.TokenAccuracy]
)
def test_is_registered_under_the_package_seqnlp(cls):
    assert keras.saving.get_registered_name(cls) == f"seqnlp>{cls.__name__}"


def test_config_makes_it_again(name):
    layer = built(name)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_a_keras_file_keeps_its_outputs(name, tmp_path):
    layer, inputs = built(name), CASES[name].inputs
    model = layer
    if not isinstance(layer, keras.Model):
        symbols = {
            key: keras.Input(
                (None, *array.shape[2:]) if CASES[name].pads else array.shape[1:],
                dtype=array.dtype,
                name=key,
            )
            for key, array in inputs.items()
        }
        model = keras.Model(symbols, tree.flatten(layer(**symbols)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_all_close(answer(loaded, inputs), answer(model, inputs), rtol=1e-6, atol=1e-6)


# On JAX the other tests run what loops compiled, and TensorFlow compares.
@pytest.mark.parametrize("name", [name for name in CASES if not (JAX and CASES[name].loops)])
def test_compiled_it_answers_as_it_does_eagerly(name):
    inputs = CASES[name].inputs
    compiled = answer(built(name), inputs, compiled=True)
    assert_all_close(compiled, answer(built(name), inputs, compiled=False))


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].pads])
def test_padding_changes_nothing(name):
    """On both sides, between tokens, as a whole row, and whatever it holds."""
    inputs, places = CASES[name].inputs, [1, 2, 4, 5]
    rows = len(MASK)
    padded = {}
    for key, array in inputs.items():
        filling = np.nan if array.dtype == "float32" else 0
        padded[key] = np.full((rows + 1, TIME + 3, *array.shape[2:]), filling, array.dtype)
        padded[key][:rows, places] = array
    expected = answer(built(name), inputs)
    for a, b in zip(answer(built(name), padded), expected, strict=True):
        assert name in MAY_SPREAD or np.isfinite(a[rows]).all()
        for axis in range(2, a.ndim):  # weights also have one of the source
            a = np.take(a, places, axis=axis) if a.shape[axis] == TIME + 3 else a
        if a.ndim > 1 and a.shape[1] == TIME + 3:  # has an axis of time
            a, b = a[:rows, places][MASK], b[MASK]
        np.testing.assert_allclose(a[: len(b)], b, rtol=1e-4, atol=1e-5)


def test_mixed_precision_stays_near_and_keeps_the_crf_in_float32(name):
    layer = built(name, "mixed_bfloat16")
    outputs = gradients.compiled(call_of(layer))(CASES[name].inputs)
    floats = [x for x in tree.flatten(outputs) if "float" in str(x.dtype)]
    expected = [x for x in answer(built(name), CASES[name].inputs) if "float" in str(x.dtype)]
    for a, b in zip(floats, expected, strict=True):
        a = ops.convert_to_numpy(ops.cast(a, "float32"))
        np.testing.assert_allclose(a[: len(b)], b, atol=0.15)
    usual = {"float32" if isinstance(outputs, dict) else "bfloat16"}
    dtypes = {keras.backend.standardize_dtype(x.dtype) for x in floats}
    assert dtypes == DTYPES.get(name.split(",")[0], usual)
    assert {keras.backend.standardize_dtype(w.dtype) for w in layer.weights} <= {"float32"}


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT_WEIGHTS])
def test_every_weight_has_a_finite_gradient(name):
    case, layer = CASES[name], built(name)
    weights = layer.trainable_weights
    sizes = np.cumsum([np.prod(weight.shape, dtype=int) for weight in weights])[:-1]

    def loss(flat):
        pieces = ops.split(flat, [int(size) for size in sizes]) if len(sizes) else [flat]
        values = [ops.reshape(x, w.shape) for x, w in zip(pieces, weights, strict=True)]
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            return case.loss(layer, call(layer, case.inputs))

    flat = np.concatenate([ops.convert_to_numpy(weight).ravel() for weight in weights])
    found = ops.convert_to_numpy(gradients.compiled(gradients.gradient(loss))(flat))
    for weight, gradient in zip(weights, np.split(found, sizes), strict=True):
        assert np.isfinite(gradient).all(), weight.path
        assert gradient.any(), weight.path


if JAX:

    def test_lowers_for_processors_gpus_and_tpus(name):
        import jax

        function = jax.jit(call_of(built(name)))
        exported = jax.export.export(function, platforms=["cpu", "cuda", "tpu"])
        assert exported(CASES[name].inputs).platforms == ("cpu", "cuda", "tpu")
