"""Writes what other functions of Addons give that Keras 3 has too: `make addons`.

The map of names says how to call Keras for the same result; the tests hold it to that.
"""

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_fixtures import write_npz


def trained(optimizer, start, gradients):
    """A variable after a few steps."""
    variable = tf.Variable(start)
    for gradient in gradients:
        optimizer.apply_gradients([(gradient, variable)])
    return variable


def drawn():
    """What the functions are given."""
    random = np.random.default_rng(0)
    x = random.standard_normal((4, 5)).astype(np.float32)
    labels = random.integers(5, size=4).astype(np.int32)
    return {
        "x": x,
        "probabilities": tf.nn.softmax(x),
        "one_hot": np.eye(5, dtype=np.float32)[labels],
        "labels": labels,
        "image": random.random((2, 6, 7, 3)).astype(np.float32),
        "gradients": random.standard_normal((3, 4, 5)).astype(np.float32),
        "logits": random.standard_normal((4, 6, 5)).astype(np.float32),
        "targets": random.integers(5, size=(4, 6)).astype(np.int32),
        "weights": random.random((4, 6)).astype(np.float32),
    }


def main():
    found = drawn()
    x, probabilities, one_hot, _, image, gradients, *sequences = found.values()
    names = ("gelu", "hardshrink", "softshrink", "mish", "sparsemax", "tanhshrink", "lisht")
    found |= {name: getattr(tfa.activations, name)(x) for name in (*names, "snake")}
    found["focal"] = tfa.losses.sigmoid_focal_crossentropy(one_hot, probabilities)
    found["pinball"] = tfa.losses.pinball_loss(one_hot, x, tau=0.3)
    found["sequence_loss"] = tfa.seq2seq.sequence_loss(*sequences)
    found["hardmax"] = tfa.seq2seq.hardmax(x)
    found["tile_batch"] = tfa.seq2seq.tile_batch(x, 3)
    for name, metric in (
        ("f1", tfa.metrics.F1Score(5, average="macro")),
        ("fbeta", tfa.metrics.FBetaScore(5, average="micro", beta=2.0)),
        ("r_square", tfa.metrics.RSquare()),
    ):
        metric.update_state(one_hot, probabilities)
        found[name] = metric.result()
    found["translated"] = tfa.image.translate(image, [1.0, 2.0], "bilinear")
    found["transformed"] = tfa.image.transform(image, [1, 0.2, 0.5, 0, 1, -1, 0, 0], "BILINEAR")
    for name, layer in (
        ("group", tfa.layers.GroupNormalization(groups=1)),
        ("instance", tfa.layers.InstanceNormalization()),
        ("average_pooled", tfa.layers.AdaptiveAveragePooling2D((3, 1))),
    ):
        found[name] = layer(image)
    adam_w = tfa.optimizers.AdamW(weight_decay=1e-2, learning_rate=1e-1)
    found["adam_w"] = trained(adam_w, x, gradients)
    sgd_w = tfa.optimizers.SGDW(weight_decay=1e-2, learning_rate=1e-1)
    found["sgd_w"] = trained(sgd_w, x, gradients)
    found["lamb"] = trained(tfa.optimizers.LAMB(learning_rate=1e-1), x, gradients)
    write_npz("rest.npz", found)


if __name__ == "__main__":
    main()
