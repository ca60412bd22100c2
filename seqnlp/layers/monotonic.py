"""Monotonic attention: each step goes on from where the one before it stopped."""

import keras
from keras import ops

from seqnlp import scan
from seqnlp.layers.alignment import Alignment
from seqnlp.layers.masking import first_and_last


def monotonic_weights(choose, stay, previous):
    """How probable it is that each token is where a step stops, all tokens in parallel.

    The step reads on from the token where the one before it stopped, and stops at each token
    that it comes to with a probability of its own:

        reach[s] = previous[s] + stay[s - 1] reach[s - 1]
        weights[s] = choose[s] reach[s]

    As `monotonic_weights_by_recursion`, in about log2(source) rounds. The paper's closed form,
    `reach = cumprod(stay) * cumsum(previous / cumprod(stay))`, loses what stands behind tokens
    where the step is almost sure to stop, since the product vanishes there; here nothing is
    divided.

    Args:
        choose: Float tensor `(..., source)`: the probability of stopping at a token.
        stay: The probability of reading on, `1 - choose`.
        previous: Float tensor `(..., source)`: the weights of the step before.

    Returns:
        Tensor `(..., source)`. Its sum falls short of that of `previous` by the probability that
        the step comes to the end and stops nowhere.

    Reference: https://arxiv.org/abs/1704.00784, section 2.3 and appendix C.1
    """
    source = choose.shape[-1]
    if not isinstance(source, int):  # unknown, so is the number of rounds
        return monotonic_weights_by_recursion(choose, stay, previous)
    reach, passing = previous, _shifted(stay, 1)
    span = 1  # `reach[s]` counts the starts at `span` tokens, and `passing[s]` leads past them
    while span < source:
        reach = reach + passing * _shifted(reach, span)
        passing = passing * _shifted(passing, span)
        span *= 2
    return choose * reach


def monotonic_weights_by_recursion(choose, stay, previous):
    """As `monotonic_weights`, one token after the other."""

    def step(reach, token):
        choose, stay, previous = token
        reach = reach + previous
        return stay * reach, choose * reach

    tokens = [ops.moveaxis(x, -1, 0) for x in (choose, stay, previous)]
    _, weights = scan.scan(step, ops.zeros_like(tokens[2][0]), tokens)
    return ops.moveaxis(weights, 0, -1)


def hard_monotonic_weights(choose, previous):
    """One-hot weights at the first token that is chosen, from where the step before stopped on.

    Zeros where there is none, and then at all later steps.

    Args:
        choose: Bool tensor `(..., source)`: the tokens to stop at.
        previous: Float tensor `(..., source)`: the one-hot weights of the step before.

    Returns:
        Tensor of the shape and dtype of `previous`.

    Reference: https://arxiv.org/abs/1704.00784, section 2.2
    """
    reached = ops.cumsum(previous, axis=-1) > 0.5
    chosen = ops.cast(ops.logical_and(choose, reached), "int32")
    is_first = ops.cumsum(chosen, axis=-1) * chosen == 1
    return ops.cast(is_first, previous.dtype)


def _shifted(x, places):
    """Moves the last axis on, and zeros in."""
    padding = [(0, 0)] * (len(x.shape) - 1) + [(places, 0)]
    return ops.pad(x, padding)[..., : x.shape[-1]]


class MonotonicAlignment(Alignment):
    """Stops at each token with the probability `sigmoid(score + r)`, see `monotonic_weights`.

    Args:
        form: "monotonic", "monotonic-recursive" or "monotonic-hard".
        sigmoid_noise: Standard deviation of the noise on the scores in training.
        score_bias: Where the weight `r` begins.
    """

    def __init__(self, form, sigmoid_noise, score_bias, **kwargs):
        super().__init__(**kwargs)
        if sigmoid_noise < 0:
            raise ValueError(
                f"`sigmoid_noise` must be at least 0. Received: sigmoid_noise={sigmoid_noise}"
            )
        self.form = form
        self.sigmoid_noise = sigmoid_noise
        self.score_bias = score_bias

    def build(self, query_shape):
        start = keras.initializers.Constant(self.score_bias)
        self.r = self.add_weight(name="r", shape=(), initializer=start)

    def memory(self, mask):
        first, _ = first_and_last(mask)
        return {"start": ops.cast(first, "float32")}

    def align(self, scores, query, memory, previous, position, training, noise):
        start = ops.broadcast_to(memory["start"][:, None], ops.shape(scores))
        if previous is None:
            previous = start
        elif position is not None:
            first = ops.equal(position, 0)[..., None]
            previous = ops.where(first, start, ops.cast(previous, "float32"))
        decide, tokens = self.stopping(scores, memory["mask"][:, None], training, noise)
        return decide(*tokens, previous)

    def align_all(self, scores, query, memory, query_mask, training, noise):
        decide, tokens = self.stopping(scores, memory["mask"][:, None], training, noise)
        if query_mask is None:
            query_mask = ops.ones_like(scores[..., 0], dtype="bool")

        def step(previous, inputs):
            is_real, *tokens = inputs
            weights = decide(*tokens, previous)
            return ops.where(is_real, weights, previous), weights

        steps = [ops.cast(query_mask, "bool")[..., None], *tokens]
        steps = [ops.swapaxes(x, 0, 1) for x in steps]  # (queries, batch, ...)
        _, weights = scan.scan(step, memory["start"], steps)
        return ops.swapaxes(weights, 0, 1)

    def stopping(self, scores, mask, training, noise):
        """`decide` and `tokens`: `decide(*tokens, previous)` gives the weights of a step."""
        scores = scores + ops.cast(self.r, "float32")
        if training and self.sigmoid_noise:
            if noise is None:
                raise ValueError(
                    "`noise` must be what `draw_noise` gives, in training with "
                    f"sigmoid_noise={self.sigmoid_noise}. Received: noise=None"
                )
            scores = scores + self.sigmoid_noise * noise
        if self.form == "monotonic-hard" and not training:
            return hard_monotonic_weights, [ops.logical_and(mask, scores > 0)]
        choose = ops.where(mask, ops.sigmoid(scores), 0.0)
        stay = ops.where(mask, ops.sigmoid(-scores), 1.0)  # 1 - choose would round to 0 too soon
        if self.form == "monotonic-recursive":
            return monotonic_weights_by_recursion, [choose, stay]
        return monotonic_weights, [choose, stay]
