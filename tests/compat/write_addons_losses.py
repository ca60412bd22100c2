"""Writes what `tfa.seq2seq.sequence_loss` gives under all its flags: `make addons`.

Computed in float64, with the gradients of those weights that are no mask.
"""

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_fixtures import LENGTHS, write_npz

TIME, VOCABULARY = 20, 5
FLAGS = (
    "average_across_timesteps",
    "average_across_batch",
    "sum_over_timesteps",
    "sum_over_batch",
)
# Which of the flags are set, by name; Addons takes no others.
REDUCTIONS = {
    "average": "1100",
    "average_timesteps": "1000",
    "average_batch": "0100",
    "sum": "0011",
    "sum_timesteps": "0010",
    "sum_batch": "0001",
    "none": "0000",
}


def drawn(scale):
    random = np.random.default_rng(4)
    shape = (len(LENGTHS), TIME)
    mask = (np.arange(TIME) < LENGTHS[:, None]).astype(np.float32)
    return {
        "logits": (scale * random.standard_normal((*shape, VOCABULARY))).astype(np.float32),
        "targets": random.integers(1, VOCABULARY, size=shape).astype(np.int32),
        "mask": mask,
        "weights": mask * random.random(shape).astype(np.float32),
        "upstream": random.standard_normal(shape).astype(np.float32),
    }


def upstream_of(shape, upstream):
    """As many of the factors `(batch, time)` as the loss has values, which loses its axes."""
    return upstream.ravel()[: np.prod(shape, dtype=int)].reshape(shape)


def main():
    for file, scale in (("sequence_loss", 1), ("sequence_loss_large", 30)):
        found = drawn(scale)
        logits = tf.constant(found["logits"], tf.float64)
        inputs = found["targets"], found["mask"], found["weights"], found["upstream"]
        targets, *weights, upstream = inputs
        for name, flags in REDUCTIONS.items():
            chosen = {flag: bit == "1" for flag, bit in zip(FLAGS, flags, strict=True)}
            for kind, weight in zip(("mask", "weights"), weights, strict=True):
                with tf.GradientTape() as tape:
                    tape.watch(logits)
                    weight = tf.constant(weight, tf.float64)
                    loss = tfa.seq2seq.sequence_loss(logits, targets, weight, **chosen)
                    total = tf.reduce_sum(loss * upstream_of(loss.shape, upstream))
                found[f"{name}/{kind}"] = loss
            found[f"{name}/by_logits"] = tape.gradient(total, logits)
        write_npz(f"{file}.npz", found)


if __name__ == "__main__":
    main()
