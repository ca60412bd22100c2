"""The states of models that go step by step, as decoders handle them.

A model gives `initial_state(...) -> state` and `step(token_ids, state) -> (logits, state)`, with
`token_ids` int32 `(rows,)` and `logits` `(rows, vocabulary)`. The state is a nested structure of
tensors, mostly a dict, which keeps its structure, shapes and dtypes. Its tensors have one row for
each hypothesis, except

- what stands under a key "memory", at any depth: one row for each sentence. Decoders hand it on as
  it is, so `step` sees `rows` = sentences * beams, sentence by sentence, beside `(batch, ...)`;
- what stands under a key "slots", at any depth: one row for each hypothesis, but one that stays
  where it is when hypotheses take each other's places. So a cache needs no copying; a model keeps
  in another entry which rows each hypothesis has written to;
- scalars, which all hypotheses share.

An entry "alignment" of the state itself, float32 `(rows, source)`, is what the last step attended
to; decoders collect it. A step that has an attribute `normalized`, true, gives log probabilities
in place of logits, which are then added up as they are.
"""

from keras import backend, ops, tree

MEMORY = "memory"
SLOTS = "slots"
ALIGNMENT = "alignment"


def as_tensors(state, batch):
    """The state with tensors for leaves, after a look at their rows; `batch` may be None."""
    state = tree.map_structure(ops.convert_to_tensor, state)
    for path, leaf in tree.flatten_with_path(state):
        if _has_rows(path, leaf) and None not in (batch, leaf.shape[0]) and leaf.shape[0] != batch:
            raise ValueError(
                "`state` must have one row for each of `start_ids` in every tensor that is "
                f"neither a scalar nor in a memory, here {batch}. Received: state with shape "
                f"{tuple(leaf.shape)} at {'/'.join(map(str, path))}"
            )
    return state


def take_rows(state, rows):
    """The state of the hypotheses numbered `rows`, which may be more than there were."""
    return _taken(state, rows, _has_rows)


def reordered(state, rows):
    """The state of the hypotheses numbered `rows`, as many as there were."""
    return _taken(state, rows, lambda path, leaf: _has_rows(path, leaf) and SLOTS not in path)


def repeated(tensor, beams):
    """`(batch, ...)` -> `(batch * beams, ...)`, each row `beams` times in a row."""
    return tensor if beams == 1 else ops.take(tensor, beam_rows(tensor, beams), axis=0)


def beam_rows(tensor, beams):
    """int32 `(batch * beams,)`: which row of `tensor (batch, ...)` each hypothesis belongs to."""
    return ops.arange(ops.shape(tensor)[0] * beams, dtype="int32") // beams


def alignment_of(state):
    """float32 `(rows, source)`, or None."""
    has_one = isinstance(state, dict) and ALIGNMENT in state
    return ops.cast(state[ALIGNMENT], "float32") if has_one else None


def take_step(step, token_ids, state):
    """`step(token_ids, state)`: logits float32, and a state that a loop can carry on."""
    logits, new = step(token_ids, state)
    if len(logits.shape) != 2 or logits.shape[-1] is None:
        raise ValueError(
            "`step` must return logits `(rows, vocabulary)` with a known vocabulary. "
            f"Received: step with logits of shape {tuple(logits.shape)}"
        )
    try:
        tree.assert_same_structure(state, new)
    except ValueError as error:
        raise ValueError(
            "`step` must return a state of the structure that it was given. "
            f"Received: step with a state of another one: {error}"
        ) from error
    return ops.cast(logits, "float32"), tree.map_structure(_like, new, state)


def same_shapes(new, old):
    """`new`, whose static shapes a loop may not know as well as those of `old`."""
    return tree.map_structure(_like, new, old)


def _taken(state, rows, moves):
    leaves = [
        ops.take(leaf, rows, axis=0) if moves(path, leaf) else leaf
        for path, leaf in tree.flatten_with_path(state)
    ]
    return tree.pack_sequence_as(state, leaves)


def _has_rows(path, leaf):
    return MEMORY not in path and len(leaf.shape) > 0


def _like(new, old):
    new = ops.convert_to_tensor(new)
    shape, old_shape = tuple(new.shape), tuple(old.shape)
    dtype, old_dtype = (backend.standardize_dtype(x.dtype) for x in (new, old))
    fits = len(shape) == len(old_shape) and all(
        a == b or None in (a, b) for a, b in zip(shape, old_shape, strict=True)
    )
    if not fits or dtype != old_dtype:
        raise ValueError(
            "`step` must return a state with the shapes and dtypes of the one before, here "
            f"{old_dtype} {old_shape}. Received: step with a state of {dtype} {shape}"
        )
    return new if shape == old_shape else ops.reshape(new, ops.shape(old))
