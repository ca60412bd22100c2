"""Writes what TensorFlow Addons answers, for the parity tests: `make addons`.

Runs in the environment of `requirements-addons.txt`. Addons computes in float64 on float32
inputs, so what is stored is exact to float32's last digits, and the same bytes come out on
every machine; the `.npz` files hold no time and are not compressed.
"""

import pathlib
import sys
import zipfile

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

FOLDER = pathlib.Path(__file__).parent / "fixtures"
LENGTHS = np.array([21, 1, 0, 20, 2, 13, 5, 17, 8])
TIME, TAGS = 21, 7


def write_npz(name, arrays):
    """Write `arrays` to `FOLDER/name`, the same bytes each time."""
    with zipfile.ZipFile(FOLDER / name, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(arrays):
            array = np.asarray(arrays[key])
            if array.dtype == np.float64:
                array = array.astype(np.float32)
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    print(f"{name}: {(FOLDER / name).stat().st_size} bytes")


def crf_inputs(seed, time, scale):
    """Random inputs of the CRF functions, times `scale`."""
    random = np.random.default_rng(seed)
    rows = len(LENGTHS)
    tags = random.integers(TAGS, size=(rows, time)).astype(np.int32)
    allowed = random.random((rows, time, TAGS)) < 0.5
    allowed |= np.eye(TAGS, dtype=bool)[tags]  # the tags given are always among those allowed
    return {
        "potentials": (scale * random.standard_normal((rows, time, TAGS))).astype(np.float32),
        "transitions": (scale * random.standard_normal((TAGS, TAGS))).astype(np.float32),
        "upstream": random.standard_normal(rows).astype(np.float32),
        "tags": tags,
        "allowed": allowed,
        "lengths": np.minimum(LENGTHS, time).astype(np.int32),
    }


def crf_answers(inputs):
    """Values of the four differentiable functions with their gradients, and both decoders'."""
    potentials, transitions, upstream = (
        tf.constant(inputs[name], tf.float64) for name in ("potentials", "transitions", "upstream")
    )
    tags, allowed, lengths = inputs["tags"], inputs["allowed"], inputs["lengths"]
    functions = {
        "sequence_score": lambda: tfa.text.crf_sequence_score(
            potentials, tags, lengths, transitions
        ),
        "log_norm": lambda: tfa.text.crf_log_norm(potentials, lengths, transitions),
        "log_likelihood": lambda: tfa.text.crf_log_likelihood(
            potentials, tags, lengths, transitions
        )[0],
        "multitag_score": lambda: tfa.text.crf_multitag_sequence_score(
            potentials, allowed, lengths, transitions
        ),
    }
    answers = {}
    for name, function in functions.items():
        with tf.GradientTape() as tape:
            tape.watch([potentials, transitions])
            value = function()
            total = tf.reduce_sum(value * upstream)
        by_potentials, by_transitions = tape.gradient(
            total, [potentials, transitions], unconnected_gradients="zero"
        )
        answers[name] = value
        answers[f"{name}_by_potentials"] = by_potentials
        answers[f"{name}_by_transitions"] = by_transitions
    best = tfa.text.crf_decode(potentials, transitions, lengths)
    constrained = tfa.text.crf_constrained_decode(potentials, allowed, transitions, lengths)
    answers["best_tags"], answers["best_score"] = best
    answers["constrained_tags"], answers["constrained_score"] = constrained
    return answers


def layer_answers(use_kernel, use_boundary, scale):
    """What a `tfa.layers.CRF` with random weights gives on masked inputs, with gradients.

    In a graph, since Addons takes a sentence of length 0 for left padding when it runs eagerly.
    """
    random = np.random.default_rng(scale)
    units = 5 if use_kernel else TAGS
    found = {
        "inputs": scale * random.standard_normal((len(LENGTHS), TIME, units)),
        "tags": random.integers(TAGS, size=(len(LENGTHS), TIME)).astype(np.int32),
        "upstream": random.standard_normal(len(LENGTHS)),
        "mask": np.arange(TIME) < LENGTHS[:, None],
    }
    found = {key: float32_if_float(array) for key, array in found.items()}
    layer = tfa.layers.CRF(TAGS, use_kernel=use_kernel, use_boundary=use_boundary, dtype="float64")
    inputs, upstream = (tf.constant(found[key], tf.float64) for key in ("inputs", "upstream"))
    layer(inputs)
    weights = weights_of(layer)
    for name, weight in weights.items():
        found[name] = random.standard_normal(weight.shape).astype(np.float32)
        weight.assign(found[name])

    @tf.function
    def run():
        best, potentials, lengths, transitions = layer(inputs, mask=tf.constant(found["mask"]))
        value, _ = tfa.text.crf_log_likelihood(potentials, found["tags"], lengths, transitions)
        by = tf.gradients(tf.reduce_sum(value * upstream), [inputs, *weights.values()])
        return best, value, by

    found["best_tags"], found["log_likelihood"], by = run()
    found.update({f"by_{name}": grad for name, grad in zip(["inputs", *weights], by, strict=True)})
    return found


def weights_of(layer):
    """The variables of a built `tfa.layers.CRF`, under the names of its attributes."""
    names = ["chain_kernel"]
    names += ["left_boundary", "right_boundary"] if layer.use_boundary else []
    found = {name: getattr(layer, name) for name in names}
    if layer.use_kernel:
        found |= {name: getattr(layer._dense_layer, name) for name in ("kernel", "bias")}
    return found


def float32_if_float(array):
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def main():
    """Write every fixture and return the exit status."""
    if not tfa.__version__.startswith("0.23."):
        print(f"tensorflow-addons must be 0.23, but is {tfa.__version__}", file=sys.stderr)
        return 1
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name, time, scale in (("crf", TIME, 1), ("crf_large", TIME, 30), ("crf_one_step", 1, 1)):
        inputs = crf_inputs(len(name), time, scale)
        write_npz(f"{name}.npz", {**inputs, **crf_answers(inputs)})
    write_npz("crf_layer.npz", layer_answers(True, True, 1))
    write_npz("crf_layer_large.npz", layer_answers(True, True, 30))
    write_npz("crf_layer_bare.npz", layer_answers(False, False, 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
