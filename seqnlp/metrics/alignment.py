"""Word alignment: links from attention weights, their error rate, and how spread weights are."""

import re

import numpy as np

_LINK = re.compile(r"(\d+)([-p])(\d+)")


def alignment_error_rate(sure, possible, predicted):
    """Alignment error rate, with the counts of the whole corpus.

        AER = 1 - (|A & S| + |A & P|) / (|A| + |S|)

    for predicted links A, sure links S, and possible links P, to which the sure ones belong. A
    perfect alignment holds all of S and nothing outside P, and has rate 0.

    Args:
        sure: List of sentences, each an iterable of links (source word, target word).
        possible: The same for possible links; those that are sure too may be left out.
        predicted: The same for what is to be judged.

    Returns:
        Float from 0 to 1.

    Raises:
        ValueError: If the lists differ in length, or hold neither a sure nor a predicted link.

    Reference: https://aclanthology.org/J03-1002, section 5
    """
    for name, sentences in (("possible", possible), ("predicted", predicted)):
        if len(sentences) != len(sure):
            raise ValueError(
                f"`{name}` must hold {len(sure)} sentences, as `sure` does. "
                f"Received: len({name})={len(sentences)}"
            )
    found, wanted = 0, 0
    for sure_links, possible_links, links in zip(sure, possible, predicted, strict=True):
        sure_links, links = _links(sure_links), _links(links)
        found += len(links & sure_links) + len(links & (_links(possible_links) | sure_links))
        wanted += len(links) + len(sure_links)
    if not wanted:
        raise ValueError(f"`sure` or `predicted` must hold a link. Received: sure={sure}")
    return 1 - found / wanted


def alignment_links(weights, source_words, target_words):
    """Links of words from the attention weights of pieces.

    The weight of a source word is the sum over its pieces, that of a target word the mean over
    its pieces, as each of them is a distribution over the source. Each target word is linked to
    the source word of the largest weight; of equal ones to the first. Pieces of no word, such
    as the end of the sentence, are left out on both sides, and a target word that attends to
    nothing else has no link.

    Args:
        weights: Float array `(target, source)` of pieces.
        source_words: For each source piece the number of its word, or -1.
        target_words: The same for each target piece.

    Returns:
        List of links (source word, target word), in the order of target words.

    Raises:
        ValueError: If the shapes do not fit.

    Reference: https://aclanthology.org/W17-3204, section 3.5 (how pieces become words)
    """
    weights = np.asarray(weights, dtype="float64")
    source_words, target_words = (np.asarray(x, dtype=int) for x in (source_words, target_words))
    if weights.shape != target_words.shape + source_words.shape or weights.ndim != 2:
        raise ValueError(
            "`weights` must have a row for each of `target_words` and a column for each of "
            f"`source_words`, {target_words.shape + source_words.shape}. "
            f"Received: weights.shape={weights.shape}"
        )
    links = []
    words = np.arange(source_words.max(initial=-1) + 1)
    # (source piece, source word): sums the columns of a word.
    columns = (source_words[:, None] == words).astype("float64")
    for target in np.unique(target_words[target_words >= 0]).tolist():
        scores = weights[target_words == target].mean(axis=0) @ columns
        if scores.any():
            links.append((int(scores.argmax()), target))
    return links


def attention_entropy(weights, mask=None):
    """Mean entropy of the attention of a target token, in nats.

    It is 0 where every token attends to one source position, and ln n where it attends to n
    alike.

    Args:
        weights: Float array `(..., target, source)`, whose rows sum to 1.
        mask: Bool array `(..., target)`, True at real target tokens; by default all.

    Returns:
        Float.

    Raises:
        ValueError: If `mask` has another shape, or no token is real.
    """
    weights = np.asarray(weights, dtype="float64")
    mask = np.ones(weights.shape[:-1], bool) if mask is None else np.asarray(mask, dtype=bool)
    if mask.shape != weights.shape[:-1]:
        raise ValueError(
            f"`mask` must have shape {weights.shape[:-1]}, as `weights` without its last axis. "
            f"Received: mask.shape={mask.shape}"
        )
    if not mask.any():
        raise ValueError(f"`mask` must be True somewhere. Received: mask.sum()={mask.sum()}")
    rows = weights[mask]  # (tokens, source)
    terms = rows * np.log(np.where(rows > 0, rows, 1.0))
    return float(abs(terms.sum(axis=-1).mean()))


def parse_links(line):
    """Reads the alignment of a sentence pair.

    Args:
        line: String of links `i-j`, and `ipj` for those that are only possible, as in `0-0 2p1`;
            words are counted from 0.

    Returns:
        `sure` and `possible`, lists of links (source word, target word), sure ones in both.

    Raises:
        ValueError: If something is no link.
    """
    sure, possible = [], []
    for text in line.split():
        match = _LINK.fullmatch(text)
        if match is None:
            raise ValueError(f"`line` must hold links as 3-4 or 3p4. Received: line={line!r}")
        link = int(match[1]), int(match[3])
        possible.append(link)
        if match[2] == "-":
            sure.append(link)
    return sure, possible


def _links(links):
    return {(int(source), int(target)) for source, target in links}
