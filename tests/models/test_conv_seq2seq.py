"""The convolutional model against its paper in NumPy; steps, beams, padding, learning."""

import functools

import keras
import numpy as np
import pytest
from keras import ops, tree

from seqnlp import gradients
from seqnlp.models import GEHRING_WMT16, ConvSeq2Seq
from seqnlp.models.conv_seq2seq import _scaled_gradient

JAX = keras.backend.backend() == "jax"
RANDOM = np.random.default_rng(0)
SIZES = {"units": 6, "num_layers": 2, "kernel_size": 3, "embedding_units": 4}
SIZES |= {"num_decoder_layers": 2, "num_positions": 9}
SOURCE_MASK = np.arange(6) < np.array([6, 3, 4])[:, None]
TARGET_MASK = np.arange(5) < np.array([4, 5, 2])[:, None]
SOURCE = (RANDOM.integers(1, 11, size=(3, 6)) * SOURCE_MASK).astype("int32")
TARGET = (RANDOM.integers(1, 11, size=(3, 5)) * TARGET_MASK).astype("int32")
INPUTS = {"source_ids": SOURCE, "target_ids": TARGET}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@functools.cache
def make(**arguments):
    """A model with random weights; tests that change them have their own arguments."""
    keras.utils.set_random_seed(0)
    model = ConvSeq2Seq(11, 11, **{**SIZES, **arguments})
    model.build({name: ids.shape for name, ids in INPUTS.items()})
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    return model


@functools.cache
def fast(function):
    """Compiled on JAX, whose eager operations are slow."""
    return gradients.compiled(function) if JAX else function


@functools.cache
def call_of(model):
    return fast(lambda inputs: model(inputs, training=False))


def logits_of(model, source=SOURCE, target=TARGET):
    return numpy(call_of(model)({"source_ids": source, "target_ids": target}))


def all_steps(model, source, tokens):
    """Logits and alignments `(rows, target, ...)` of tokens `(rows, target)` one by one."""
    state = fast(model.initial_state)(source)
    beams = len(tokens) // len(source)
    memory = state.pop("memory")
    state = tree.map_structure(lambda x: ops.repeat(x, beams, 0) if len(x.shape) else x, state)
    step = fast(model.step)
    state, logits, alignments = {"memory": memory, **state}, [], []
    for time in range(tokens.shape[1]):
        found, state = step(ops.convert_to_tensor(tokens[:, time]), state)
        logits.append(numpy(found))
        alignments.append(numpy(state["alignment"]))
    return np.stack(logits, axis=1), np.stack(alignments, axis=1)


# The equations of the paper for one sentence, without padding, token by token.


def dense(layer, vectors):
    kernel, gain, bias = (x.astype("float64") for x in layer.get_weights())
    return vectors @ (gain * kernel / np.linalg.norm(kernel, axis=0)) + bias


def convolved(layer, vectors, first):
    kernel, gain, bias = (x.astype("float64") for x in layer.get_weights())
    kernel = gain * kernel / np.sqrt((kernel**2).sum(axis=(0, 1)))
    outputs = []
    for time in range(len(vectors)):
        sums = bias.copy()
        for tap in range(len(kernel)):
            if 0 <= time + first + tap < len(vectors):
                sums += vectors[time + first + tap] @ kernel[tap]
        values, gates = np.split(sums, 2)
        outputs.append(values / (1 + np.exp(-gates)))
    return np.array(outputs)


def embedded(words, positions, ids):
    return words.get_weights()[0][ids] + positions.get_weights()[0][: len(ids)]


def by_hand(model, source, target):
    half = np.sqrt(0.5)
    e = embedded(model.source_embedding, model.source_positions, source)
    z = dense(model.encoder_entry, e)
    for layer in model.encoder:
        z = half * (z + convolved(layer, z, first=-1))
    z = dense(model.encoder_exit, z)
    g = embedded(model.target_embedding, model.target_positions, target)
    h, maps = dense(model.decoder_entry, g), []
    for layer, attention in zip(model.decoder, model.attentions, strict=True):
        c = convolved(layer, h, first=-2)
        scores = half * (dense(attention.query, c) + g) @ z.T
        weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        context = np.sqrt(len(source)) * weights @ (half * (z + e))
        h = half * (h + half * (c + dense(attention.output_projection, context)))
        maps.append(weights)
    h = dense(model.decoder_exit, h)
    if model.share_embeddings:
        return h @ model.source_embedding.get_weights()[0].T + numpy(model.logits_bias), maps
    return dense(model.logits, h), maps


@pytest.mark.parametrize("share_embeddings", [False, True])
def test_equals_the_equations_of_the_paper(share_embeddings):
    model = make(share_embeddings=share_embeddings)
    logits = logits_of(model)
    found = {name: numpy(x) for name, x in fast(model.attention_weights)(INPUTS).items()}
    assert list(found) == ["decoder_0", "decoder_1"]
    for row in range(3):
        source, target = SOURCE[row][SOURCE_MASK[row]], TARGET[row][TARGET_MASK[row]]
        expected, maps = by_hand(model, source, target)
        np.testing.assert_allclose(logits[row, : len(target)], expected, rtol=1e-3, atol=1e-3)
        for weights, layer in zip(maps, found.values(), strict=True):
            actual = layer[row, : len(target), : len(source)]
            np.testing.assert_allclose(actual, weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kernel_size", [1, 2, 3])
@pytest.mark.parametrize("share_embeddings", [False, True])
def test_steps_equal_the_whole(kernel_size, share_embeddings):
    model = make(kernel_size=kernel_size, share_embeddings=share_embeddings)
    found, alignments = all_steps(model, SOURCE, TARGET)
    expected = logits_of(model)
    np.testing.assert_allclose(found[TARGET_MASK], expected[TARGET_MASK], rtol=1e-4, atol=1e-4)
    attention = numpy(fast(model.attention)(INPUTS))
    np.testing.assert_allclose(
        alignments[TARGET_MASK], attention[TARGET_MASK], rtol=1e-4, atol=1e-5
    )


def test_hypotheses_are_rows_sentence_by_sentence():
    model = make()
    tokens = RANDOM.integers(1, 11, size=(3 * 2, 5)).astype("int32")
    found, alignments = all_steps(model, SOURCE, tokens)
    inputs = {"source_ids": np.repeat(SOURCE, 2, axis=0), "target_ids": tokens}
    expected = logits_of(model, inputs["source_ids"], tokens)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    attention = numpy(fast(model.attention)(inputs))
    np.testing.assert_allclose(alignments, attention, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_loop_over_steps_compiles(policy):
    """So no step changes structure, shapes or dtypes of the state; it gives greedy tokens."""
    model = make(dtype=policy)

    def greedy(source):
        def body(time, token, state, tokens):
            logits, state = model.step(token, state)
            assert keras.backend.standardize_dtype(logits.dtype) == "float32"
            token = ops.cast(ops.argmax(logits[:, 1:], axis=-1) + 1, "int32")
            here = ops.arange(4)[None] == time
            return time + 1, token, state, ops.where(here, token[:, None], tokens)

        initial = model.initial_state(source, max_length=4)
        loop = (0, ops.full((3,), 2, dtype="int32"), initial, ops.zeros((3, 4), dtype="int32"))
        return ops.while_loop(lambda time, *_: time < 4, body, loop, maximum_iterations=4)[3]

    tokens = numpy(gradients.compiled(greedy)(SOURCE))
    before = np.concatenate([np.full((3, 1), 2), tokens[:, :-1]], axis=1).astype("int32")
    chosen = logits_of(model, target=before)
    best = chosen[..., 1:].max(axis=-1)
    took = np.take_along_axis(chosen, tokens[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(took, best, atol=1e-4 if policy == "float32" else 0.2)


def test_a_later_target_token_changes_no_earlier_logit():
    model, full = make(), np.where(TARGET == 0, 3, TARGET)
    expected = logits_of(model, target=full)
    for time in range(1, 5):
        other = full.copy()
        other[:, time:] = other[:, time:] % 10 + 1
        found = logits_of(model, target=other)
        np.testing.assert_allclose(found[:, :time], expected[:, :time], rtol=1e-5, atol=1e-5)
        assert (np.abs(found[:, time:] - expected[:, time:]).max(axis=-1) > 1e-3).all()


def test_padding_changes_nothing_wherever_it_is():
    model = make()
    source, target = np.zeros((4, 9), dtype="int32"), np.zeros((4, 8), dtype="int32")
    source_places, target_places = [1, 2, 4, 5, 6, 8], [2, 3, 5, 6, 7]
    source[:3, source_places], target[:3, target_places] = SOURCE, TARGET
    found, expected = logits_of(model, source, target), logits_of(model)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(
        found[:3, target_places][TARGET_MASK], expected[TARGET_MASK], rtol=1e-4, atol=1e-4
    )
    inputs = {"source_ids": source, "target_ids": target}
    weights = numpy(fast(model.attention)(inputs))
    real = (target != 0)[:, :, None] & (source != 0)[:, None]
    np.testing.assert_array_equal(weights[~real], 0)
    placed = weights[:3][:, target_places][:, :, source_places]
    np.testing.assert_allclose(placed, numpy(fast(model.attention)(INPUTS)), rtol=1e-4, atol=1e-5)
    stepped, alignments = all_steps(model, source[:3], TARGET)
    np.testing.assert_allclose(stepped[TARGET_MASK], expected[TARGET_MASK], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        alignments[TARGET_MASK], weights[:3][:, target_places][TARGET_MASK], rtol=1e-4, atol=1e-5
    )


def test_a_sentence_without_tokens_has_finite_steps_and_gradients():
    model, nothing = make(), np.zeros((3, 6), dtype="int32")
    logits, alignments = all_steps(model, nothing, TARGET)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(alignments, 0)
    for found in weight_gradients(model, nothing, np.zeros_like(TARGET)):
        assert np.isfinite(found).all()


def loss_of(model, source, target):
    def loss(values):
        mapping = list(zip(model.trainable_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            logits = model({"source_ids": source, "target_ids": target}, training=False)
        return ops.mean(ops.logsumexp(logits, axis=-1) - logits[..., 3])

    return loss


def weight_gradients(model, source=SOURCE, target=TARGET):
    values = [variable.value for variable in model.trainable_variables]
    found = fast(gradients.gradient(loss_of(model, source, target)))(values)
    return [numpy(x) for x in found]


def test_the_encoder_gets_the_mean_of_the_gradients_of_the_attentions():
    """Moving a bias of the encoder moves the loss by as often its gradient as layers attend."""
    model = make()
    at = [id(x) for x in model.trainable_variables].index(id(model.encoder_exit.bias))
    found = weight_gradients(model)[at]
    values = [numpy(variable) for variable in model.trainable_variables]
    loss = fast(loss_of(model, SOURCE, TARGET))
    for unit in range(4):
        both = []
        for change in (0.01, -0.01):
            moved = [x.copy() for x in values]
            moved[at][unit] += change
            both.append(float(loss(moved)))
        slope = (both[0] - both[1]) / 0.02
        np.testing.assert_allclose(2 * found[unit], slope, rtol=0.05, atol=2e-3)


def test_a_scaled_gradient_leaves_the_values_bit_for_bit():
    values = RANDOM.normal(size=100).astype("float32")
    loss = lambda x: ops.sum(_scaled_gradient(x, 0.25) ** 2)  # noqa: E731
    np.testing.assert_array_equal(numpy(_scaled_gradient(values, 0.25)), values)
    np.testing.assert_allclose(numpy(gradients.gradient(loss)(values)), values / 2, rtol=1e-6)


def test_tokens_behind_the_last_position_share_its_embedding():
    model = make(num_positions=2)
    expected = logits_of(model)
    longer = make(num_positions=8)
    last = [(0, 6), (0, 0)]
    longer.set_weights(
        [np.pad(x, last, "edge") if x.shape == (2, 4) else x for x in model.get_weights()]
    )
    np.testing.assert_allclose(logits_of(longer), expected, rtol=1e-5, atol=1e-5)
    steps, _ = all_steps(model, SOURCE, TARGET)
    np.testing.assert_allclose(steps[TARGET_MASK], expected[TARGET_MASK], rtol=1e-4, atol=1e-4)


def test_dropout_is_for_training_alone():
    model = make(dropout=0.3)
    np.testing.assert_allclose(logits_of(model), logits_of(make()), rtol=1e-5, atol=1e-5)

    def train(inputs):
        with keras.StatelessScope():  # what is drawn for dropout stays in here
            return model(inputs, training=True)

    change = np.abs(numpy(fast(train)(INPUTS)) - logits_of(model))
    assert (change[TARGET_MASK].max(axis=-1) > 0.01).all()


def test_one_table_serves_source_target_and_logits():
    own, one = make(), make(share_embeddings=True)
    assert one.source_embedding is one.target_embedding
    saved = 11 * 4 + (4 * 11 + 11 + 11) - 11  # a table; kernel, gain and bias, but for the bias
    assert own.count_params() - one.count_params() == saved


def test_the_decoder_may_have_another_depth():
    assert len(make(num_decoder_layers=None).decoder) == 2
    model = make(num_decoder_layers=1)
    assert (len(model.encoder), len(model.decoder), len(model.attentions)) == (2, 1, 1)


def test_the_published_model_has_twenty_layers_of_512_units_on_each_side():
    model = ConvSeq2Seq(40, 40, **GEHRING_WMT16)
    assert (len(model.encoder), len(model.decoder)) == (20, 20)
    assert {layer.units for layer in model.encoder + model.decoder} == {512}


if not JAX:

    def test_goes_into_a_graph_of_unknown_sizes():
        import tensorflow as tf

        model = make()
        ids = tf.TensorSpec((None, None), "int32")

        @tf.function(input_signature=[ids, ids])
        def two_steps(source, tokens):
            state = model.initial_state(source, 2)
            _, state = model.step(tokens[:, 0], state)
            return model.step(tokens[:, 1], state)[0]

        @tf.function(input_signature=[ids, ids])
        def whole(source, target):
            return model({"source_ids": source, "target_ids": target}, training=False)

        expected = logits_of(model)
        np.testing.assert_allclose(two_steps(SOURCE, TARGET), expected[:, 1], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(whole(SOURCE, TARGET), expected, rtol=1e-4, atol=1e-4)


def copies(number, seed):
    """Sentences of ids from 4 on, ended by 3; the target is the source itself."""
    random = np.random.default_rng(seed)
    words = random.integers(4, 10, size=(number, 5)).astype("int32")
    words *= np.arange(5) < random.integers(2, 6, size=(number, 1))
    sources = np.concatenate([words, np.zeros((number, 1), dtype="int32")], axis=1)
    sources[np.arange(number), (words != 0).sum(axis=1)] = 3
    targets = np.concatenate([np.full((number, 1), 2, dtype="int32"), words], axis=1)
    return {"source_ids": sources, "target_ids": targets}, sources


def test_learns_to_copy():
    keras.utils.set_random_seed(0)
    model = ConvSeq2Seq(10, 10, 32, 1, 3, 32, dropout=0.0, num_positions=8)
    model.compile(
        keras.optimizers.Adam(0.005),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
        jit_compile=JAX,
    )
    inputs, labels = copies(512, seed=0)
    losses = model.fit(inputs, labels, batch_size=64, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.1 < 1.0 < losses[0]
    inputs, labels = copies(64, seed=1)
    told = model.predict(inputs, verbose=0).argmax(axis=-1)
    assert (told == labels)[labels != 0].mean() > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source_vocabulary_size": 0}, "`source_vocabulary_size` must be at least 1. .*=0"),
        ({"target_vocabulary_size": 0}, "`target_vocabulary_size` must be at least 1. .*=0"),
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be at least 1. Received: num_layers=0"),
        ({"kernel_size": 0}, "`kernel_size` must be at least 1. Received: kernel_size=0"),
        ({"embedding_units": 0}, "`embedding_units` must be at least 1. .*embedding_units=0"),
        ({"num_decoder_layers": 0}, "`num_decoder_layers` must be at least 1. .*layers=0"),
        ({"num_positions": 0}, "`num_positions` must be at least 1. .*num_positions=0"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\)\. Received: dropout=1.0"),
        (
            {"share_embeddings": True},
            "`share_embeddings` must be False where the vocabularies differ in size. Received: "
            "share_embeddings=True, source_vocabulary_size=11, target_vocabulary_size=12",
        ),
    ],
)
def test_refuses_arguments_that_make_no_model(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvSeq2Seq(
            **{"source_vocabulary_size": 11, "target_vocabulary_size": 12, **SIZES, **arguments}
        )
