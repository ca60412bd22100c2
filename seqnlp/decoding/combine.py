"""Several models that decode together."""

import math

from keras import ops

from seqnlp.decoding.decoded import IMPOSSIBLE, is_possible
from seqnlp.decoding.states import alignment_of


def combine_states(*states):
    """The state of a combined step from those of its parts.

    Args:
        *states: State of each part, in the order of the steps.

    Returns:
        Dict of "states", a tuple of them, and, where parts have an alignment
        `(rows, source)`, "alignment", their mean.
    """
    combined = {"states": tuple(states)}
    alignments = [x for x in map(alignment_of, states) if x is not None]
    if alignments:
        combined["alignment"] = sum(alignments) / len(alignments)
    return combined


def ensemble(steps):
    """A step that gives the logarithm of the mean of what several models give as probabilities.

    Args:
        steps: Sequence of `step(token_ids, state) -> (logits, state)` with one vocabulary.

    Returns:
        A `step` over `combine_states(state of the first, state of the second, ...)`. It is
        `normalized`.

    Raises:
        ValueError: There is no step, or, when it runs, vocabularies differ.
    """
    steps = tuple(steps)
    if not steps:
        raise ValueError(f"`steps` must hold at least one step. Received: steps={steps}")

    def ensemble_step(token_ids, state):
        each, state = _run("steps", steps, token_ids, state)
        return ops.logsumexp(ops.stack(each), axis=0) - math.log(len(steps)), state

    ensemble_step.normalized = True
    return ensemble_step


def shallow_fusion(step, language_model_step, weight):
    """A step that adds `weight` times a language model's log probabilities to a model's.

    The sums are not normalised again, as in the paper: scores are log P + weight * log P(language
    model), penalties aside. To sample, each step's are. What the language model holds impossible
    remains so, unless `weight` is 0.

    Args:
        step: The model's `step(token_ids, state) -> (logits, state)`.
        language_model_step: That of the language model, with the same vocabulary.
        weight: At least 0.

    Returns:
        A `step` over `combine_states(the model's state, the language model's state)`. It is
        `normalized`.

    Raises:
        ValueError: `weight` is negative, or, when it runs, the vocabularies differ.

    Reference: Gulcehre et al. 2015, On using monolingual corpora in neural machine translation,
        section 4.1
    """
    if not weight >= 0:
        raise ValueError(f"`weight` must be at least 0. Received: weight={weight}")
    steps = step, language_model_step

    def fused_step(token_ids, state):
        (first, second), state = _run("language_model_step", steps, token_ids, state)
        if weight == 0:  # times minus infinity it is not a number
            return first, state
        return first + ops.where(is_possible(second), weight * second, IMPOSSIBLE), state

    fused_step.normalized = True
    return fused_step


def _run(name, steps, token_ids, state):
    """Log probabilities `(rows, vocabulary)` of each step, and the combined state."""
    if len(state["states"]) != len(steps):
        raise ValueError(
            f"`state` must combine {len(steps)} states. "
            f"Received: state of {len(state['states'])} states"
        )
    log_probabilities, states = [], []
    for step, old in zip(steps, state["states"], strict=True):
        logits, new = step(token_ids, old)
        logits = ops.cast(logits, "float32")
        is_normalized = getattr(step, "normalized", False)
        log_probabilities.append(logits if is_normalized else ops.log_softmax(logits, axis=-1))
        states.append(new)
    vocabularies = [x.shape[-1] for x in log_probabilities]
    if len(set(vocabularies)) > 1:
        raise ValueError(
            f"`{name}` must have the same vocabulary. Received: {name} with {vocabularies}"
        )
    return log_probabilities, combine_states(*states)
