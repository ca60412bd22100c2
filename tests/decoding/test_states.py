"""What `step` is given: memories and scalars as they are, everything else row by row."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import NoRepeatedNgrams, beam_search, greedy, sample
from tests.decoding.toy import Search, Toy, assert_same, numpy, refused, row, run

DECODERS = {
    "greedy": (greedy, {}, 1),
    "sample": (sample, {"seed": 3, "top_k": 2}, 1),
    "beam_search": (beam_search, {"beam_width": 3}, 3),
}


@pytest.fixture(params=DECODERS)
def decoder(request):
    return DECODERS[request.param]


def test_memories_have_a_row_a_sentence_and_scalars_are_shared(decoder):
    decode, options, beams = decoder
    toy, shapes = Toy(4, batch=2), []

    def step(token_ids, state):
        shapes.append(tuple(token_ids.shape))
        shapes.append(keras.tree.map_structure(lambda x: tuple(x.shape), state))
        return toy.step(token_ids, state)

    run(decode, step, toy.initial_state(), toy.start_ids, 3, 2, **options)
    rows = 2 * beams
    assert shapes[0] == (rows,)
    assert shapes[1] == {
        "memory": {"tables": [toy.table.shape]},
        "position": (),
        "past": ((rows,), {"history": (rows, 8)}),
        "alignment": (rows, 8),
    }


def test_hypotheses_stand_sentence_by_sentence():
    toy = Toy(4, batch=2)

    def step(token_ids, state):
        logits, new = toy.step(token_ids, state["toy"])
        # A row of another sentence would get another token.
        wrong = state["sentence"] != np.repeat(np.arange(2), 3)
        logits = ops.where(wrong[:, None], np.eye(4, dtype="float32")[0] * 99, logits)
        return logits, {"toy": new, "sentence": state["sentence"]}

    def search(table):
        state = {"toy": toy.initial_state(table), "sentence": np.arange(2, dtype="int32")}
        return beam_search(step, state, toy.start_ids, 3, 4, beam_width=3)

    found = numpy(gradients.compiled(search)(toy.table))
    for sentence in range(2):
        assert_same(row(found, sentence), Search(toy, 3, 4).best(sentence, 3), 3)


def test_refuses_a_state_with_rows_missing():
    toy = Toy(4, batch=3)
    state = toy.initial_state()
    state["past"] = (state["past"][0], {"history": state["past"][1]["history"][:2]})
    with refused(
        "`state` must have one row for each of `start_ids` in every tensor that is neither a "
        "scalar nor in a memory, here 3. Received: state with shape (2, 8) at past/1/history"
    ):
        beam_search(toy.step, state, toy.start_ids, 3, 2)


def test_refuses_logits_without_rows(decoder):
    decode, options, _ = decoder
    with refused(
        "`step` must return logits `(rows, vocabulary)` with a known vocabulary. "
        "Received: step with logits of shape (5,)"
    ):
        decode(lambda token_ids, state: (ops.zeros((5,)), state), {}, [0], 3, 2, **options)


def test_refuses_another_dtype_in_the_state_behind_the_step(decoder):
    decode, options, beams = decoder

    def step(token_ids, state):
        return ops.zeros((beams, 5)), {"a": ops.cast(state["a"], "float32")}

    with refused(
        "`step` must return a state with the shapes and dtypes of the one before, here "
        f"int32 ({beams},). Received: step with a state of float32 ({beams},)"
    ):
        decode(step, {"a": ops.zeros((1,), dtype="int32")}, [0], 3, 2, **options)


def test_refuses_another_structure_behind_the_step(decoder):
    decode, options, beams = decoder

    def step(token_ids, state):
        return ops.zeros((beams, 5)), {"b": state["a"]}

    message = "`step` must return a state of the structure that it was given. Received: step"
    with pytest.raises(ValueError, match=message):
        decode(step, {"a": ops.zeros((1,))}, [0], 3, 2, **options)


if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    TABLE = tf.TensorSpec((None, 97, 5), tf.float32)
    IDS = tf.TensorSpec((None,), tf.int32)

    def test_the_batch_may_be_unknown_until_the_graph_runs(decoder, tmp_path):
        decode, options, _ = decoder
        toy = Toy(5, batch=4)

        class Served(tf.Module):
            @tf.function(input_signature=[TABLE, IDS])
            def decode(self, table, start_ids):
                rules = [NoRepeatedNgrams(2)]
                state = toy.initial_state(table)
                found = decode(toy.step, state, start_ids, 4, 6, rules=rules, **options)
                return {k: v for k, v in found._asdict().items() if v is not None}

        tf.saved_model.save(Served(), str(tmp_path))
        served = tf.saved_model.load(str(tmp_path))
        for batch in (4, 1, 0):
            actual = served.decode(toy.table[:batch], toy.start_ids[:batch])
            assert actual["token_ids"].shape[0] == batch
            if batch == 0:
                continue
            state = toy.initial_state(toy.table[:batch])
            rules = [NoRepeatedNgrams(2)]
            expected = decode(toy.step, state, toy.start_ids[:batch], 4, 6, rules=rules, **options)
            for name, value in actual.items():
                np.testing.assert_allclose(value, getattr(expected, name), rtol=1e-5)

    def test_the_source_may_be_unknown_until_the_graph_runs():
        def decode(source, mask):
            def step(token_ids, state):
                source = state["memory"]
                beams = ops.shape(token_ids)[0] // ops.shape(source)[0]
                total = state["total"] + ops.cast(token_ids + 1, "float32")
                scores = ops.repeat(source, beams, axis=0) * total[:, None]
                logits = ops.stack([ops.sin(i * total) for i in (1.0, 2.0, 3.0)], axis=1)
                new = {"alignment": ops.softmax(scores, axis=-1), "total": total}
                return logits + scores[:, :1], {"memory": source, **new}

            zeros = ops.zeros_like(source)
            state = {"memory": source, "alignment": zeros, "total": zeros[:, 0]}
            start_ids = ops.cast(zeros[:, 0], "int32")
            options = {"length_penalty": 1.0, "coverage_penalty": 0.5, "source_mask": mask}
            return beam_search(step, state, start_ids, 2, 5, beam_width=3, **options)[:4]

        specs = [tf.TensorSpec((None, None), dtype) for dtype in (tf.float32, tf.bool)]
        unknown = tf.function(decode, input_signature=specs)
        random = np.random.default_rng(0)
        for batch, time in ((2, 4), (3, 7)):
            source = random.normal(size=(batch, time)).astype("float32")
            mask = np.arange(time) < np.array([[time], [2], [3]])[:batch]
            expected = decode(source, mask)
            assert expected[3].shape == (batch, 3, 5, time)
            for actual, value in zip(unknown(source, mask), expected, strict=True):
                np.testing.assert_allclose(actual, value, rtol=1e-4, atol=1e-5)

else:
    import jax

    @pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
    def test_lowers_for_every_platform(decoder, platform):
        decode, options, _ = decoder
        toy = Toy(5, batch=2)

        def exported(table):
            state = toy.initial_state(table)
            rules = [NoRepeatedNgrams(2)]
            return tuple(decode(toy.step, state, toy.start_ids, 4, 6, rules=rules, **options)[:4])

        jax.export.export(jax.jit(exported), platforms=[platform])(toy.table)
