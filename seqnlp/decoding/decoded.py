"""What decoders give."""

from typing import Any, NamedTuple

from keras import ops

IMPOSSIBLE = -1e9  # log probability of what the rules forbid, and score of what does not exist


class Decoded(NamedTuple):
    """What the decoders found; `(batch, ...)` means `(batch, beams, ...)` after `beam_search`.

    Attributes:
        token_ids: int32 `(batch, max_length)`: the tokens, then the end id if it came before
            `max_length` was full, then 0.
        scores: float32 `(batch,)`, log probabilities in nats of the tokens and the end id;
            `beam_search` adds its penalties. `IMPOSSIBLE` where there is no hypothesis.
        lengths: int32 `(batch,)`: how many tokens, without the end id.
        alignments: float32 `(batch, max_length, source)`: what each token, the end id too, was
            chosen from, 0 behind; None if the state has no "alignment".
        met: bool `(batch, beams)`: whether the hypothesis holds all the phrases of
            `LexicalConstraints`; None without them.
    """

    token_ids: Any
    scores: Any
    lengths: Any
    alignments: Any = None
    met: Any = None


def is_possible(log_probability):
    """Tells real log probabilities, sums of them included, from `IMPOSSIBLE` ones."""
    return log_probability > IMPOSSIBLE / 2


def is_there(value):
    """Tells what a loop carries from the () that stands for what it need not."""
    return not isinstance(value, tuple)


def written(values, step, new):
    """`values (time, ...)` with `new (...)` at `step`."""
    return ops.scatter_update(values, ops.reshape(step, (1, 1)), new[None])
