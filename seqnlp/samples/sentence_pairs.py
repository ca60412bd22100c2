"""Generated sentences with their translations and word alignments."""

import hashlib
import itertools
import pathlib
import random
from typing import NamedTuple

from seqnlp.samples import english_german, english_korean
from seqnlp.samples.english_words import capitalise, finish
from seqnlp.samples.synchronous import derive, translate

PARALLEL_SIZES = {"train": 9000, "eval": 800, "test": 1000}

_RULES = {"en-de": english_german.RULES, "en-ko": english_korean.RULES}
_SHARES = (("train", 0.7), ("eval", 0.15), ("test", 0.15))
_LENGTHS = range(5, 16)


class SentencePair(NamedTuple):
    """A sentence, its translation, and links (source word, target word), counted from 0.

    Words are what spaces part; marks of punctuation are words of their own. `sure` and `possible`
    links are those of Och & Ney 2003, and every sure link is among the possible ones. A link is
    only possible where a word's part in the translation is that of grammar: articles that the
    target contracts or lacks, auxiliaries, English prepositions that are Korean particles.
    """

    source: str
    target: str
    sure: tuple[tuple[int, int], ...]
    possible: tuple[tuple[int, int], ...]


def parallel(pair="en-de", split="train", seed=0):
    """Generates one split of a parallel corpus by a synchronous grammar.

    The order of words differs much: in German the finite verb stands second or, in subordinate
    clauses, last, prefixes and participles stand at the end, time before place; in Korean the
    verb stands last, relative clauses before their noun, and particles take the place of
    English prepositions. A sentence has one translation, which its words tell: articles, cases
    and endings, particles and verb forms follow from it. No two sentences of a split are the
    same, and whatever the seeds, no sentence is in two splits.

    Every target word has a possible link, and at most one sure link.

    Args:
        pair: `"en-de"` or `"en-ko"`; the source is English.
        split: `"train"` (9000 sentences), `"eval"` (800) or `"test"` (1000).
        seed: Integer; the same seed gives the same sentences in every process.

    Returns:
        List of `SentencePair`, the sources of 5 to 15 words.

    Raises:
        ValueError: If `pair` or `split` has no such name.
    """
    _check(pair)
    if split not in PARALLEL_SIZES:
        raise ValueError(
            f"`split` must be one of {', '.join(PARALLEL_SIZES)}. Received: split={split!r}"
        )
    return list(itertools.islice(_pairs(pair, split, seed), PARALLEL_SIZES[split]))


def to_links(pairs):
    """Writes alignments as text.

    Args:
        pairs: Iterable of `SentencePair`.

    Returns:
        String: a line for each pair, its links `i-j`, or `ipj` if they are only possible.
    """
    lines = (
        " ".join(f"{i}{'-' if (i, j) in pair.sure else 'p'}{j}" for i, j in pair.possible)
        for pair in pairs
    )
    return "".join(line + "\n" for line in lines)


def write_parallel(folder, pair="en-de", seed=0, limit=None):
    """Writes a parallel corpus, as `parallel` generates it, to files with a sentence a line.

    Args:
        folder: Where to write; it is made if it is not there.
        pair: As of `parallel`.
        seed: As of `parallel`.
        limit: Largest number of sentences of a split; by default all.

    Returns:
        Dict of split to the paths of three files: source (`train.en`), target (`train.de`) and
        links (`train.links`, in the form of `to_links`).

    Raises:
        ValueError: If `pair` has no such name, or `limit` is below 1.
    """
    _check(pair)
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be at least 1 or None. Received: limit={limit}")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for split, size in PARALLEL_SIZES.items():
        size = size if limit is None else min(size, limit)
        pairs = list(itertools.islice(_pairs(pair, split, seed), size))
        source, target = pair.split("-")
        texts = {
            source: "".join(drawn.source + "\n" for drawn in pairs),
            target: "".join(drawn.target + "\n" for drawn in pairs),
            "links": to_links(pairs),
        }
        paths[split] = tuple(folder / f"{split}.{ending}" for ending in texts)
        for path, text in zip(paths[split], texts.values(), strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
    return paths


def _check(pair):
    if pair not in _RULES:
        raise ValueError(f"`pair` must be one of {', '.join(_RULES)}. Received: pair={pair!r}")


def _pairs(pair, split, seed):
    """Yields the different sentence pairs of a split, without end."""
    rng = random.Random(f"parallel {pair} {split} {seed}")
    sources = set()
    while True:
        node = derive(_RULES[pair], "sentence", rng)
        if node is None:
            continue
        words = finish([word for word, _ in node.source(())])
        source = " ".join(words)
        if len(words) in _LENGTHS and _owner(source) == split and source not in sources:
            sources.add(source)
            _, target, links = translate(node)
            possible = tuple(sorted(links))
            sure = tuple(link for link in possible if links[link])
            yield SentencePair(source, " ".join(capitalise(target)), sure, possible)


def _owner(source):
    """The split that owns a sentence, by its hash."""
    point = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8]) / 2**64
    for split, share in _SHARES:
        if point < share:
            return split
        point -= share
    return _SHARES[-1][0]
