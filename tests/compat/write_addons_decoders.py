"""Writes what the decoders and samplers of Addons give around one model: `make addons`.

The model is an LSTM in an `AttentionWrapper` between an embedding and a dense layer, with random
weights. Addons computes the coverage penalty in float32 alone, and so is all of this.
"""

import itertools

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_fixtures import write_npz
from write_addons_wrapper import (
    FEATURES,
    LAYER,
    LENGTHS,
    SOURCE,
    STEPS,
    UNITS,
    VALUE_UNITS,
    wrapped,
)
from write_addons_wrapper import start as initial_state

VOCABULARY, START, END = 13, 2, 3
TARGET_LENGTHS = np.array([20, 1, 0, 19, 2, 13, 5, 17, 8], dtype=np.int32)
WIDTHS, LENGTH_PENALTIES, COVERAGE_PENALTIES = (1, 3, 5), (0.0, 0.6), (0.0, 0.2)
DRAWS, SHARE = 8192, 0.5
CASE = "lstm_luong_layer_attention"


def drawn():
    """The model's inputs and the weights that are not the wrapper's."""
    random = np.random.default_rng(3)
    shapes = {
        "value": (len(LENGTHS), SOURCE, VALUE_UNITS),
        "hidden": (len(LENGTHS), UNITS),
        "cell": (len(LENGTHS), UNITS),
        "upstream": (len(LENGTHS), STEPS, VOCABULARY),
    }
    found = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    random = np.random.default_rng(13)  # with this one sentences end early, late and never
    found["embedding"] = 2 * random.standard_normal((VOCABULARY, FEATURES))
    found["output_kernel"] = 2 * random.standard_normal((LAYER, VOCABULARY))
    found["output_bias"] = 0.3 * random.standard_normal(VOCABULARY)
    found["output_bias"][[0, END]] = -9, 2
    found["target_ids"] = random.integers(1, VOCABULARY, size=(len(LENGTHS), STEPS))
    found["target_lengths"] = TARGET_LENGTHS
    return {
        name: array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
        for name, array in found.items()
    }


class Model:
    """The parts that a decoder of Addons takes, for `beams` hypotheses a sentence."""

    def __init__(self, given, beams=1):
        def tiled(array):
            return tfa.seq2seq.tile_batch(tf.constant(array), beams)

        self.value = tiled(given["value"])
        self.lengths = tiled(LENGTHS)
        self.cell, self.weights = wrapped(CASE, self.value, "float32", lengths=self.lengths)
        self.cell._alignment_history = False  # decoders of Addons carry no array of their own
        self.states = [tiled(given["hidden"]), tiled(given["cell"])]
        self.output = tf.keras.layers.Dense(VOCABULARY)
        self.output.build((None, given["output_kernel"].shape[0]))
        self.output.set_weights([given["output_kernel"], given["output_bias"]])
        self.embedding = tf.constant(given["embedding"])

    def state(self):
        return initial_state(self.cell, self.value, "float32", self.states)


def teacher_forced(given):
    """`BasicDecoder` with a `TrainingSampler`, and gradients."""
    model = Model(given)
    sampler = tfa.seq2seq.TrainingSampler()
    decoder = tfa.seq2seq.BasicDecoder(model.cell, sampler, model.output, impute_finished=True)
    with tf.GradientTape() as tape:
        tape.watch([model.value, model.embedding])
        model.cell._attention_mechanisms[0]([model.value, LENGTHS], setup_memory=True)
        inputs = tf.gather(model.embedding, given["target_ids"])
        outputs, state, lengths = decoder(
            inputs, initial_state=model.state(), sequence_length=given["target_lengths"]
        )
        total = tf.reduce_sum(outputs.rnn_output * given["upstream"])
    sources = {"value": model.value, "embedding": model.embedding, **model.weights}
    by = tape.gradient(total, sources)
    found = {"logits": outputs.rnn_output, "sample_ids": outputs.sample_id, "lengths": lengths}
    found |= {f"state_{at}": x for at, x in enumerate(state.cell_state)}
    found |= {f"by_{name}": tf.convert_to_tensor(gradient) for name, gradient in by.items()}
    return found | {f"weights_{name}": weight for name, weight in model.weights.items()}


def greedy(given):
    """`BasicDecoder` with a `GreedyEmbeddingSampler`."""
    model = Model(given)
    sampler = tfa.seq2seq.GreedyEmbeddingSampler()
    decoder = tfa.seq2seq.BasicDecoder(model.cell, sampler, model.output, maximum_iterations=STEPS)
    outputs, _, lengths = decoder(
        model.embedding,
        start_tokens=tf.fill([len(LENGTHS)], START),
        end_token=END,
        initial_state=model.state(),
    )
    return {"logits": outputs.rnn_output, "sample_ids": outputs.sample_id, "lengths": lengths}


def beams(given, width, length_penalty, coverage_penalty):
    """`BeamSearchDecoder`; scores are those of each step, sorted for each."""
    model = Model(given, width)
    decoder = tfa.seq2seq.BeamSearchDecoder(
        model.cell,
        width,
        output_layer=model.output,
        length_penalty_weight=length_penalty,
        coverage_penalty_weight=coverage_penalty,
        maximum_iterations=STEPS,
    )
    outputs, state, lengths = decoder(
        model.embedding,
        start_tokens=tf.fill([len(LENGTHS)], START),
        end_token=END,
        initial_state=model.state(),
    )
    of_steps = outputs.beam_search_decoder_output
    return {
        "predicted_ids": outputs.predicted_ids,
        "scores": of_steps.scores,
        "lengths": lengths,
        "log_probabilities": state.log_probs,
        "finished": state.finished,
    }


def scheduled(given):
    """Means over many draws of what `ScheduledEmbeddingTrainingSampler` makes of a sentence."""
    tf.random.set_seed(1)
    random = np.random.default_rng(9)
    cell = tf.keras.layers.GRUCell(UNITS)
    cell.build((None, FEATURES))
    cell.set_weights([random.standard_normal(w.shape) for w in cell.get_weights()])
    output = tf.keras.layers.Dense(VOCABULARY)
    output.build((None, UNITS))
    kernel = (2 * random.standard_normal((UNITS, VOCABULARY))).astype(np.float32)
    output.set_weights([kernel, given["output_bias"]])
    sampler = tfa.seq2seq.ScheduledEmbeddingTrainingSampler(SHARE, seed=1, scheduling_seed=2)
    decoder = tfa.seq2seq.BasicDecoder(cell, sampler, output)
    ids = given["target_ids"][:1, :5]
    inputs = tf.tile(tf.gather(given["embedding"], ids), (DRAWS, 1, 1))
    outputs, _, _ = decoder(
        inputs, initial_state=tf.zeros((DRAWS, UNITS)), embedding=tf.constant(given["embedding"])
    )
    probabilities = tf.nn.softmax(outputs.rnn_output)
    found = dict(zip(("kernel", "recurrent_kernel", "bias"), cell.get_weights(), strict=True))
    return found | {
        "output_kernel": kernel,
        "mean": tf.reduce_mean(probabilities, axis=0),
        "deviation": tf.math.reduce_std(probabilities, axis=0),
        "sampled": tf.reduce_mean(tf.cast(outputs.sample_id >= 0, tf.float32), axis=0),
    }


def main():
    given = drawn()
    found = {**given, "lengths": LENGTHS}
    for name, write in (("forced", teacher_forced), ("greedy", greedy), ("scheduled", scheduled)):
        found |= {f"{name}/{key}": array for key, array in write(given).items()}
    for case in itertools.product(WIDTHS, LENGTH_PENALTIES, COVERAGE_PENALTIES):
        name = "_".join(map(str, ("beams", *case)))
        found |= {f"{name}/{key}": array for key, array in beams(given, *case).items()}
    write_npz("decoders.npz", found)


if __name__ == "__main__":
    main()
