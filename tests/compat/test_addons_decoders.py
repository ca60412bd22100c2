"""Decoding against the decoders and samplers of TensorFlow Addons 0.23 around one model.

The fixture holds 9 sentences, with sources of 21 tokens down to 1, targets of 20 down to 0, and
20 steps, in float32 (`make addons`).
"""

import functools
import itertools
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.compat.addons_decoder import variables_of
from seqnlp.compat.tfa import load_attention_wrapper
from seqnlp.decoding import beam_search, greedy
from seqnlp.layers import LuongAttention, RNNDecoder, RNNEncoder
from seqnlp.models import RNNSeq2Seq
from tests.compat.beam_reference import ADDONS, WU, reference_search

with np.load(pathlib.Path(__file__).parent / "fixtures" / "decoders.npz") as _file:
    ADDONS_GIVES = dict(_file)
START, END, STEPS = 2, 3, 20
SOURCE_MASK = np.arange(21) < ADDONS_GIVES["lengths"][:, None]
START_IDS = np.full(len(SOURCE_MASK), START, dtype="int32")
PENALTIES = list(itertools.product((1, 3, 5), (0.0, 0.6), (0.0, 0.2)))


def of(case):
    """What Addons gave in one case, by name."""
    prefix = f"{case}/"
    return {k.removeprefix(prefix): x for k, x in ADDONS_GIVES.items() if k.startswith(prefix)}


def tensor(name):
    return ops.convert_to_tensor(ADDONS_GIVES[name])


class Model:
    """Addons' model on our layers."""

    def __init__(self):
        feeding = {"attend": "after", "input_feeding": True, "readout": "linear"}
        attention = LuongAttention("general")
        self.decoder = RNNDecoder(4, "lstm", attention=attention, **feeding, readout_units=6)
        self.decoder.build((None, None, 3), value_shape=(None, None, 3))
        self.variables = variables_of(self.decoder)
        weights = of("forced")
        load_attention_wrapper(
            {name: weights[f"weights_{name}"] for name in self.variables}, self.decoder
        )

    def logits(self, outputs):
        return ops.matmul(outputs, tensor("output_kernel")) + tensor("output_bias")

    def initial_state(self):
        memory = self.decoder.attention.memory(tensor("value"), SOURCE_MASK)
        state = self.decoder.initial_state([[tensor("hidden"), tensor("cell")]], memory)
        return {**state, "memory": memory, "position": ops.zeros((), dtype="int32")}

    def step(self, token_ids, state):
        carried = {name: state[name] for name in ("layers", "alignment", "fed")}
        vectors = ops.take(tensor("embedding"), token_ids, axis=0)
        outputs, carried = self.decoder.step(vectors, carried, state["memory"], state["position"])
        return self.logits(outputs), {**state, **carried, "position": state["position"] + 1}

    def forced(self, embedding, value, weights, mask):
        """Logits of the true tokens."""
        with keras.StatelessScope([(self.variables[name], x) for name, x in weights.items()]):
            inputs = ops.take(embedding, tensor("target_ids"), axis=0)
            state = [[tensor("hidden"), tensor("cell")]]
            masks = {"value_mask": SOURCE_MASK, "inputs_mask": mask}
            outputs, _ = self.decoder(inputs, state, value, **masks)
        return self.logits(outputs)


model = functools.cache(Model)


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def with_ends(token_ids, lengths):
    """As Addons has them: the end id behind the tokens, up to the last step."""
    return np.where(np.arange(token_ids.shape[-1]) < lengths[..., None], token_ids, END)


class TestBasicDecoder:
    def test_teacher_forcing_gives_the_same_logits_and_gradients(self):
        addons = of("forced")
        lengths = ADDONS_GIVES["target_lengths"]
        np.testing.assert_array_equal(addons["lengths"], lengths)
        mask = np.arange(STEPS) < lengths[:, None]
        sources = {
            "embedding": tensor("embedding"),
            "value": tensor("value"),
            "weights": {k: ops.convert_to_tensor(v) for k, v in model().variables.items()},
        }

        def total(sources):
            logits = ops.where(mask[..., None], model().forced(**sources, mask=mask), 0)
            return ops.sum(logits * tensor("upstream"))

        logits = gradients.compiled(model().forced)(**sources, mask=ops.convert_to_tensor(mask))
        logits = np.where(mask[..., None], ops.convert_to_numpy(logits), 0)
        np.testing.assert_allclose(logits, addons["logits"], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(logits.argmax(axis=-1)[mask], addons["sample_ids"][mask])
        by = gradients.compiled(gradients.gradient(total))(sources)
        by = {"embedding": by["embedding"], "value": by["value"], **by["weights"]}
        by = {name: ops.convert_to_numpy(gradient) for name, gradient in by.items()}
        by["attention_layer"] = np.roll(by["attention_layer"], -3, axis=0)
        largest = max(np.abs(gradient).max() for gradient in by.values())
        for name, actual in by.items():
            expected = addons[f"by_{name}"]
            np.testing.assert_allclose(
                actual, expected, rtol=1e-5, atol=1e-5 * largest, err_msg=name
            )

    def test_greedy_gives_the_same_tokens_lengths_and_logits(self):
        addons = of("greedy")
        decoded = gradients.compiled(
            lambda: greedy(model().step, model().initial_state(), START_IDS, END, STEPS)
        )()
        names = ("token_ids", "scores", "lengths")
        found = {name: ops.convert_to_numpy(getattr(decoded, name)) for name in names}
        ended = found["lengths"] < STEPS
        assert ended.any()
        assert not ended.all()
        lengths = found["lengths"] + ended  # Addons counts the end id
        np.testing.assert_array_equal(lengths, addons["lengths"])
        real = np.arange(STEPS) < lengths[:, None]
        np.testing.assert_array_equal(found["token_ids"], np.where(real, addons["sample_ids"], 0))
        gains = np.take_along_axis(
            log_softmax(addons["logits"]), addons["sample_ids"][..., None], axis=-1
        )[..., 0]
        np.testing.assert_allclose(
            found["scores"], np.where(real, gains, 0).sum(axis=1), rtol=1e-5
        )


@functools.cache
def ours(width, length_penalty, coverage_penalty):
    """`beam_search` in Addons' form: token ids `(batch, beams, steps)`, scores, lengths."""
    decoded = gradients.compiled(
        lambda: beam_search(
            model().step,
            model().initial_state(),
            START_IDS,
            END,
            STEPS,
            width,
            length_penalty,
            coverage_penalty,
            source_mask=SOURCE_MASK,
        )
    )()
    token_ids, scores, lengths = (ops.convert_to_numpy(x) for x in decoded[:3])
    return with_ends(token_ids, lengths), scores, np.minimum(lengths + 1, STEPS)


def addons_of(case):
    """What Addons gives, in the form of `ours`."""
    found = of("_".join(map(str, ("beams", *case))))
    token_ids = found["predicted_ids"].transpose(0, 2, 1)
    missing = STEPS - token_ids.shape[-1]
    token_ids = np.pad(token_ids, ((0, 0), (0, 0), (0, missing)), constant_values=END)
    return token_ids, found["scores"][:, -1], found["lengths"]


@functools.cache
def searched(case, rules):
    return reference_search(model(), START_IDS, END, STEPS, *case, rules, SOURCE_MASK)


def assert_same(actual, expected):
    np.testing.assert_array_equal(actual[0], expected[0])
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(actual[2], expected[2])


class TestBeamSearchDecoder:
    @pytest.mark.parametrize("width", [1, 3, 5])
    def test_without_penalties_it_gives_the_same_tokens_scores_and_lengths(self, width):
        assert_same(ours(width, 0.0, 0.0), addons_of((width, 0.0, 0.0)))

    @pytest.mark.parametrize("case", PENALTIES)
    def test_ours_is_a_search_with_the_penalties_of_wu_for_all_hypotheses(self, case):
        assert_same(ours(*case), searched(case, WU))

    @pytest.mark.parametrize("case", PENALTIES)
    def test_that_of_addons_is_the_same_search_with_other_penalties(self, case):
        """All that differs is in `beam_reference.ADDONS`."""
        assert_same(addons_of(case), searched(case, ADDONS))

    def test_addons_changes_the_score_of_a_hypothesis_after_its_end(self):
        """It counts the end id not in the step that writes it, but in all that follow."""
        found = of("beams_5_0.6_0.0")
        changes = 0
        for sentence, (scores, lengths) in enumerate(
            zip(found["scores"], found["lengths"], strict=True)
        ):
            log_probabilities = found["log_probabilities"][sentence]
            for beam in np.flatnonzero(lengths < STEPS):
                at_its_end, later = (
                    log_probabilities[beam] / ((5 + length) / 6) ** 0.6
                    for length in (lengths[beam] - 1, lengths[beam])
                )
                np.testing.assert_allclose(scores[-1, beam], later, rtol=1e-5)
                step = scores[lengths[beam] - 1]
                changes += np.isclose(step, at_its_end, rtol=1e-5).any()
        assert changes

    def test_addons_gives_tokens_to_the_score_and_length_of_another_hypothesis(self):
        """It reads them in the order of the step where the longest ends; what follows sorts anew.

        Ours have the lengths that they say.
        """
        for found, wrong in ((addons_of((3, 0.0, 0.2)), True), (ours(3, 0.0, 0.2), False)):
            token_ids, _, lengths = found
            ends = token_ids == END
            written = np.where(ends.any(axis=-1), ends.argmax(axis=-1) + 1, STEPS)
            assert (written != lengths).any() == wrong

    @pytest.mark.parametrize("width", [3, 5])
    def test_addons_takes_no_coverage_penalty_of_a_hypothesis_without_an_end(self, width):
        """And so such a one, however little of the source it covers, comes first."""
        found = of(f"beams_{width}_0.0_0.2")
        scores, unfinished = found["scores"][:, -1], ~found["finished"]
        assert unfinished.any()
        np.testing.assert_array_equal(scores[unfinished], found["log_probabilities"][unfinished])

    def test_the_penalties_make_a_difference(self):
        """Else the tests above would compare the same search four times."""
        for width in (3, 5):
            firsts = [
                ours(width, length, coverage)[0][:, 0]
                for length, coverage in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.2), (0.6, 0.2))
            ]
            pairs = itertools.combinations(firsts, 2)
            assert sum((a != b).any() for a, b in pairs) >= 4
        differ = [(ours(*case)[0] != addons_of(case)[0]).any() for case in PENALTIES]
        assert [any(case[1:]) for case, other in zip(PENALTIES, differ, strict=True) if other]


class TestScheduledSampling:
    def test_the_mean_over_many_draws_is_that_of_addons(self):
        addons = of("scheduled")
        np.testing.assert_allclose(addons["sampled"], 0.5, atol=0.02)
        encoder, decoder = RNNEncoder(4, "gru", bidirectional=False), RNNDecoder(4, "gru")
        seq2seq = RNNSeq2Seq(13, 13, encoder, decoder, 3, bridge="state", scheduled_sampling=0.5)
        seq2seq.build({"source_ids": (None, 2), "target_ids": (None, 5)})
        seq2seq.target_embedding.embeddings.assign(ADDONS_GIVES["embedding"])
        for variable, name in zip(
            decoder.cells[0], ("kernel", "recurrent_kernel", "bias"), strict=True
        ):
            variable.assign(addons[name])
        seq2seq.output_kernel.assign(addons["output_kernel"])
        seq2seq.output_bias.assign(ADDONS_GIVES["output_bias"])
        draws = 8192
        inputs = {
            "source_ids": np.zeros((draws, 2), dtype="int32"),  # padding: the state is zeros
            "target_ids": np.tile(ADDONS_GIVES["target_ids"][:1, :5], (draws, 1)),
        }
        keras.utils.set_random_seed(0)
        logits = ops.convert_to_numpy(seq2seq(inputs, training=True))
        mean = np.exp(log_softmax(logits)).mean(axis=0)
        error = addons["deviation"] * (2 / draws) ** 0.5
        np.testing.assert_allclose(mean[0], addons["mean"][0], rtol=1e-4, atol=1e-6)
        assert (np.abs(mean - addons["mean"])[1:] <= 4.5 * error[1:] + 1e-5).all()
        forced = ops.convert_to_numpy(ops.softmax(seq2seq(inputs)))[0]
        apart = np.abs(forced - addons["mean"])[1:]
        assert (apart.max(axis=-1) > 10 * error[1:].max(axis=-1)).all()
