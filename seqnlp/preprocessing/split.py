"""Splitting sentences by what they say: equal sentences never part, whatever their order."""

import hashlib

import apache_beam as beam

from seqnlp.records import SPLITS

# What becomes of the training files where splits are missing.
FRACTIONS = {
    frozenset(): {"train": 1.0},
    frozenset({"eval"}): {"train": 0.9, "eval": 0.1},
    frozenset({"test"}): {"train": 0.9, "test": 0.1},
    frozenset({"eval", "test"}): {"train": 0.8, "eval": 0.1, "test": 0.1},
}
_DIGEST_BYTES = 16


def content_hash(content, seed, purpose):
    """A digest of 16 bytes that is the same on every machine.

    Args:
        content: `bytes` to hash.
        seed: `int`; another seed gives independent digests.
        purpose: Short `str`; digests of different purposes are independent.

    Returns:
        `bytes` of length 16.
    """
    person = purpose.encode()
    key = str(seed).encode()
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=key, person=person).digest()


def split_of(tokens, seed, fractions):
    """The split of a sentence, by a hash of its tokens.

    Args:
        tokens: Sequence of `str`.
        seed: `int`.
        fractions: Dict from split to its share; the shares sum to 1.

    Returns:
        One of the keys of `fractions`.
    """
    digest = content_hash("\0".join(tokens).encode(), seed, "split")
    position, end = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for split, share in fractions.items():
        end += share
        if position < end:
            return split
    return split


class SplitSentences(beam.PTransform):
    """`Sentence` -> dict from each of `SPLITS` that `fractions` names to its sentences.

    Args:
        fractions: Dict from split to its share.
        seed: `int`.
        strings: Function from a sentence to the sequence of `str` that decides; None takes its
            tokens.
    """

    def __init__(self, fractions, seed, strings=None):
        super().__init__()
        unknown = set(fractions) - set(SPLITS)
        if unknown or abs(sum(fractions.values()) - 1) > 1e-9:
            raise ValueError(
                f"`fractions` must give shares of {', '.join(SPLITS)} that sum to 1. "
                f"Received: fractions={fractions}"
            )
        self._fractions = dict(fractions)
        self._seed = seed
        self._strings = strings or _tokens

    def expand(self, sentences):
        """Applies the transform."""
        if len(self._fractions) == 1:
            return {next(iter(self._fractions)): sentences}
        names = list(self._fractions)
        parts = sentences | "Split" >> beam.Partition(
            _partition, len(names), self._strings, self._seed, self._fractions
        )
        return dict(zip(names, parts, strict=True))


def _partition(sentence, _, strings, seed, fractions):
    return list(fractions).index(split_of(strings(sentence), seed, fractions))


def _tokens(sentence):
    return sentence.tokens
