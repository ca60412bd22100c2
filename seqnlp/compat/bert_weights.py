"""The weights of BERT under the names that Hugging Face has for them."""

import warnings

import numpy as np
from keras import ops

from seqnlp.models import BERTEncoder, BERTPretrainer

# What a checkpoint may lack as a whole: masked LMs are also trained without.
MAY_BE_MISSING = ("bert.pooler.", "cls.seq_relationship.")


class Slot:
    """A weight of ours, and the tensors that it is made of there.

    Args:
        weight: The Keras variable.
        names: Their names, one or, side by side in ours, several.
        transposed: Whether theirs are `(to, from)` where ours are `(from, to)`.
    """

    def __init__(self, weight, *names, transposed=False):
        self.weight = weight
        self.names = names
        self.transposed = transposed

    def spelled(self, spell, transposed=None):
        """The same slot with other names, and with `transposed` where it is given.

        Args:
            spell: Function from a name to the other one.
            transposed: See `Slot`.
        """
        transposed = self.transposed if transposed is None else transposed
        return Slot(self.weight, *map(spell, self.names), transposed=transposed)

    @property
    def shape(self):
        """Shape of each of their tensors."""
        *before, last = self.weight.shape
        shape = (*before, last // len(self.names))
        return shape[::-1] if self.transposed else shape

    def assign(self, tensors):
        """Gives ours the values of theirs, arrays in the order of the names."""
        parts = [tensor.T if self.transposed else tensor for tensor in tensors]
        self.weight.assign(np.concatenate(parts, axis=-1))

    def tensors(self):
        """Dict of theirs from the value of ours."""
        parts = np.split(ops.convert_to_numpy(self.weight), len(self.names), axis=-1)
        parts = [part.T if self.transposed else part for part in parts]
        return dict(zip(self.names, map(np.ascontiguousarray, parts), strict=True))


def slots(model):
    """All `Slot`s of a built `BERTEncoder` or `BERTPretrainer`."""
    if isinstance(model, BERTEncoder):
        return _encoder(model)
    head = model.masked_lm
    return [
        *_encoder(model.encoder),
        Slot(head.bias, "cls.predictions.bias"),
        *_dense(head.dense, "cls.predictions.transform.dense"),
        *_norm(head.norm, "cls.predictions.transform.LayerNorm"),
        *_dense(model.next_sentence.dense, "cls.seq_relationship"),
    ]


def _encoder(encoder):
    prefix = "bert.embeddings"
    return [
        Slot(encoder.token_embedding.embeddings, f"{prefix}.word_embeddings.weight"),
        Slot(encoder.positions.vectors, f"{prefix}.position_embeddings.weight"),
        Slot(encoder.segment_embedding.embeddings, f"{prefix}.token_type_embeddings.weight"),
        *_norm(encoder.embedding_norm, f"{prefix}.LayerNorm"),
        *(
            slot
            for at, layer in enumerate(encoder.layers_above.layers)
            for slot in _layer(layer, f"bert.encoder.layer.{at}")
        ),
        *_dense(encoder.pooler, "bert.pooler.dense"),
    ]


def _layer(layer, name):
    attention = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    return [
        *_dense(layer.attention.projection, *attention),
        *_dense(layer.attention.output_projection, f"{name}.attention.output.dense"),
        *_norm(layer.norms[0], f"{name}.attention.output.LayerNorm"),
        *_dense(layer.hidden, f"{name}.intermediate.dense"),
        *_dense(layer.output_projection, f"{name}.output.dense"),
        *_norm(layer.norms[1], f"{name}.output.LayerNorm"),
    ]


def _dense(dense, *names):
    return [
        Slot(dense.kernel, *(f"{name}.weight" for name in names), transposed=True),
        Slot(dense.bias, *(f"{name}.bias" for name in names)),
    ]


def _norm(norm, name):
    return [Slot(norm.gamma, f"{name}.weight"), Slot(norm.beta, f"{name}.bias")]


def built(kind, arguments):
    """A model of the `kind`, `BERTEncoder` or `BERTPretrainer`, with weights.

    Args:
        kind: The class.
        arguments: Dict of the arguments of `BERTEncoder`.
    """
    encoder = BERTEncoder(**arguments)
    model = encoder if kind is BERTEncoder else BERTPretrainer(encoder)
    model.build(dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None)))
    return model


def load(model, tensors, source, spelled):
    """Gives a model the values of a checkpoint, which may lack the parts `MAY_BE_MISSING`.

    Such a part stays as initialised, and a warning says so.

    Args:
        model: A built `BERTEncoder` or `BERTPretrainer`.
        tensors: Dict from names to arrays.
        source: Where they come from, for messages.
        spelled: Function from a `Slot` to the same under the names of `tensors`.

    Raises:
        ValueError: A tensor is missing, is one too many, or has another shape.
    """
    wanted = {slot.names: spelled(slot) for slot in slots(model)}
    for part in MAY_BE_MISSING:
        of_part = [names for names in wanted if names[0].startswith(part)]
        theirs = [name for names in of_part for name in wanted[names].names]
        if theirs and not tensors.keys() & theirs:
            warnings.warn(
                f"{source}: holds no {' and no '.join(theirs)}, which stay as initialised.",
                stacklevel=3,
            )
            for names in of_part:
                del wanted[names]
    _fill(wanted.values(), tensors, source)


def assign(model, tensors, source):
    """Gives a model the values of tensors.

    Args:
        model: A built `BERTEncoder` or `BERTPretrainer`.
        tensors: Dict from the names of Hugging Face to arrays, all of them and no others.
        source: Where they come from, for messages.

    Raises:
        ValueError: A tensor is missing, is one too many, or has another shape.
    """
    _fill(slots(model), tensors, source)


def _fill(wanted, tensors, source):
    names = {name: slot.shape for slot in wanted for name in slot.names}
    missing, extra = sorted(names.keys() - tensors), sorted(tensors.keys() - names)
    if missing or extra:
        raise ValueError(
            f"{source}: expected the weights of a BERT of this size. "
            f"Missing: {_listed(missing)}. One too many: {_listed(extra)}."
        )
    for name, shape in names.items():
        if tuple(tensors[name].shape) != tuple(shape):
            raise ValueError(
                f"{source}: {name}: expected shape {tuple(shape)}, received "
                f"{tuple(tensors[name].shape)}."
            )
    for slot in wanted:
        slot.assign([np.asarray(tensors[name]) for name in slot.names])


def tensors_of(model):
    """Dict from the names of Hugging Face to the values of a built BERT."""
    return {name: array for slot in slots(model) for name, array in slot.tensors().items()}


def _listed(names, most=5):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "none"
