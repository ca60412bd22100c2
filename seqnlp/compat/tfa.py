"""Moves from TensorFlow Addons: loads its CRF's weights, and finds its uses in source code.

    python -m seqnlp.compat.tfa FILE_OR_FOLDER ...

reports each use of Addons with what replaces it; see `seqnlp.compat.addons_uses`.
"""

import sys

from seqnlp.compat import addons_uses, addons_weights
from seqnlp.compat.addons_decoder import load_attention_wrapper

__all__ = ["load_attention_wrapper", "load_crf"]


def load_crf(source, crf, dense=None, layer=None):
    """Loads the weights of a `tfa.layers.CRF`; the same inputs then give the same tags.

    A `tfa.layers.CRF` begins with a dense layer of its own, unless it was made with
    `use_kernel=False`. Here that is a layer before the CRF:

        dense, crf = keras.layers.Dense(num_tags), CRF(num_tags)
        outputs = crf(dense(vectors))
        load_crf("checkpoints/tagger", crf, dense)

    Args:
        source: A TensorFlow checkpoint (the part of its files' names before `.index`), a
            SavedModel's folder, an `.h5`, `.weights.h5` or `.keras` file; or a dict of arrays
            `chain_kernel`, `left_boundary`, `right_boundary`, `kernel`, `bias`, the last four
            where the layer had them.
        crf: `seqnlp.layers.CRF` with as many tags, built or not.
        dense: `keras.layers.Dense` for the layer's own projection, built or not, or None.
        layer: Name of the layer, needed where the source holds several: the path to it that
            the error prints.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The source cannot be read, holds other sizes or other weights. Then no
            weight has been changed.
    """
    if isinstance(source, dict):
        layer, weights, where = "arrays", source, "`source`"
    else:
        layer, weights = _chosen(source, layer)
        where = str(source)
    _check(weights, crf, dense, f"{where}, layer {layer!r}")
    num_tags = crf.num_tags
    if not crf.built:
        crf.build((None, None, num_tags))
    crf.transitions.assign(weights["chain_kernel"])
    if crf.use_boundaries:
        crf.start_transitions.assign(weights.get("left_boundary", [0.0] * num_tags))
        crf.end_transitions.assign(weights.get("right_boundary", [0.0] * num_tags))
    if dense is not None:
        if not dense.built:
            dense.build((None, None, len(weights["kernel"])))
        dense.kernel.assign(weights["kernel"])
        dense.bias.assign(weights["bias"])


def _chosen(path, layer):
    layers = addons_weights.read_layers(path)
    if layer is None and len(layers) == 1:
        layer = next(iter(layers))
    if layer not in layers:
        names = ", ".join(repr(name) for name in sorted(layers))
        raise ValueError(
            f"`layer` must name a CRF layer of {path}: {names}. Received: layer={layer!r}"
        )
    return layer, layers[layer]


def _check(weights, crf, dense, where):
    """Raises a ValueError where `weights` do not fit the layers."""
    tags = crf.num_tags
    if "left_boundary" in weights and not crf.use_boundaries:
        raise ValueError(
            f"`crf` must have use_boundaries=True, as {where} holds 'left_boundary'. "
            "Received: crf.use_boundaries=False"
        )
    if ("kernel" in weights) != (dense is not None):
        must = (
            f"be a keras.layers.Dense({tags}), as {where} holds a 'kernel'"
            if "kernel" in weights
            else f"be None, as {where} holds no 'kernel'"
        )
        raise ValueError(f"`dense` must {must}. Received: dense={dense}")
    expected = {"chain_kernel": (tags, tags)}
    if "left_boundary" in weights or "right_boundary" in weights:
        expected |= {"left_boundary": (tags,), "right_boundary": (tags,)}
    if dense is not None:
        if not dense.use_bias or dense.units != tags:
            raise ValueError(
                f"`dense` must have {tags} units, as `crf` has tags, and a bias. "
                f"Received: dense.units={dense.units}, dense.use_bias={dense.use_bias}"
            )
        units = dense.kernel.shape[0] if dense.built else len(weights["kernel"])
        expected |= {"kernel": (units, tags), "bias": (tags,)}
    for name, shape in expected.items():
        received = tuple(weights[name].shape) if name in weights else None
        if received != shape:
            raise ValueError(
                f"{where}: variable {name!r} must have shape {shape}. Received: shape={received}"
            )


if __name__ == "__main__":
    sys.exit(addons_uses.main(sys.argv[1:]))
