"""Tag schemes of sequence labelling: how tags such as `B-person` mark spans.

- `bio` (IOB2): `B-x` starts every span, `I-x` continues it.
- `iob1` (Ramshaw & Marcus 1995): `I-x` starts and continues; `B-x` only parts two
  neighbouring spans of one type.
- `bioes`: `B I E` for longer spans, `S` for spans of one token; `bilou` writes `L` and `U`.
- `none`: tags are labels of their own, as parts of speech are.

A CRF learns more from tags that also mark the ends of spans: Ratinov & Roth 2009, section 3.
"""

import numpy as np

ENCODINGS = ("none", "bio", "iob1", "bioes", "bilou")
_PREFIXES = {"bio": "BI", "iob1": "BI", "bioes": "BIES", "bilou": "BILU"}
_AS_BIOES = str.maketrans("LU", "ES")
_AS_BILOU = str.maketrans("ES", "LU")
OUTSIDE = ("O", "")
# Letters of a token that is alone in its span, its first, inside and last one; and of one alone
# and a first one where the span before has the same type.
_SEGMENTS = {"bio": "BBIIBB", "iob1": "IIIIBB", "bioes": "SBIESB", "bilou": "SBIESB"}


def split_tag(tag, encoding):
    """`"B-person"` -> `("B", "person")` and `"O"` -> `("O", "")`; `bilou` as `bioes`.

    Raises:
        ValueError: If `tag` is no tag of `encoding`.
    """
    if encoding not in _PREFIXES:
        raise ValueError(
            f"`encoding` must be one of {', '.join(_PREFIXES)}. Received: encoding={encoding!r}"
        )
    if tag == "O":
        return OUTSIDE
    prefix, dash, span_type = tag.partition("-")
    if not (dash and span_type and len(prefix) == 1 and prefix in _PREFIXES[encoding]):
        expected = ", ".join(["O", *(f"{letter}-TYPE" for letter in _PREFIXES[encoding])])
        raise ValueError(
            f"`tag` must be one of {expected} under {encoding}. Received: tag={tag!r}"
        )
    return prefix.translate(_AS_BIOES) if encoding == "bilou" else prefix, span_type


def _may_follow(before, after, encoding):
    """Whether one split tag may follow another; the sentence's edges count as `OUTSIDE`."""
    (prefix, span_type), (next_prefix, next_type) = before, after
    inside = prefix in ("B", "I") and span_type == next_type
    if encoding == "bio":
        return inside or next_prefix != "I"
    if encoding == "iob1":
        return inside or next_prefix != "B"
    if prefix in ("B", "I"):
        return inside and next_prefix in ("I", "E")
    return next_prefix not in ("I", "E")


def allowed_transitions(tags, encoding):
    """Which tag may follow which, as `CRF(allowed_transitions=...)` takes it.

    Args:
        tags: List of tag names, in the order of their ids.
        encoding: One of `ENCODINGS`.

    Returns:
        Bool array `(tags + 1, tags + 1)` from row to column. The last row holds the tags that
        may begin a sentence, the last column those that may end it. None for `none`.

    Raises:
        ValueError: `encoding` is none of those, or a tag is not of it.
    """
    if encoding == "none":
        return None
    split = [split_tag(tag, encoding) for tag in tags] + [OUTSIDE]
    return np.array(
        [[_may_follow(before, after, encoding) for after in split] for before in split]
    )


def segment_tags(tags, encoding):
    """Which tag a token has by its place in a segment, as `SemiMarkovCRF(segment_tags)` takes it.

    A segment is a span, or one token outside of all spans.

    Args:
        tags: List of tag names, in the order of their ids.
        encoding: One of `ENCODINGS` but "none".

    Returns:
        Int array `(labels, 6)` of tag ids, a row for each type of span, and one for `O`, in the
        order of `tags`. Columns: single, first, inside, last, and single and first again, that
        is behind a segment of the same label. -1 where `tags` have no such tag.

    Raises:
        ValueError: `encoding` is none of those, or a tag is not of it.
    """
    ids = {split_tag(tag, encoding): index for index, tag in enumerate(tags)}
    rows = []
    for span_type in dict.fromkeys(span_type for _, span_type in ids):
        letters = _SEGMENTS[encoding] if span_type else ("O", "", "", "", "O", "")
        rows.append([ids.get((letter, span_type), -1) for letter in letters])
    return np.array(rows)


def first_illegal(tags, encoding):
    """The first fault of one sentence's tags.

    Args:
        tags: List of tag names.
        encoding: One of `ENCODINGS`.

    Returns:
        None where all is well, else `(index, reason)`. An index equal to the number of tags
        means that the sentence ends inside a span.
    """
    if encoding == "none":
        return None
    before, before_name = OUTSIDE, "the beginning of the sentence"
    for index, tag in enumerate(tags):
        try:
            after = split_tag(tag, encoding)
        except ValueError as error:
            return index, str(error)
        if not _may_follow(before, after, encoding):
            return index, f"tag {tag!r} may not follow {before_name} under {encoding}"
        before, before_name = after, repr(tag)
    if not _may_follow(before, OUTSIDE, encoding):
        return len(tags), f"the sentence may not end after {before_name} under {encoding}"
    return None


def spans(tags, encoding):
    """The spans that `tags` mark.

    Faulty tags are read as seqeval reads them by default: a span that begins with `I-x`
    counts as begun.

    Args:
        tags: List of tag names.
        encoding: One of `ENCODINGS` but "none".

    Returns:
        List of `(type, start, end)`, token positions with `end` exclusive.

    Raises:
        ValueError: `encoding` is none of those, or a tag is not of it.
    """
    found, start, current = [], None, None
    for index, tag in enumerate([*tags, "O"]):
        prefix, span_type = split_tag(tag, encoding)
        joins = current == span_type and prefix in ("I", "E")
        if start is not None and not joins:
            found.append((current, start, index))
            start, current = None, None
        if start is None and prefix != "O":
            start, current = index, span_type
        if start is not None and prefix in ("E", "S"):
            found.append((current, start, index + 1))
            start, current = None, None
    return found


def convert(tags, source, target):
    """The tags of one sentence in another scheme.

    Args:
        tags: List of tag names. Faulty ones are read as `spans` reads them.
        source: Their scheme, one of `ENCODINGS`.
        target: The scheme of the result. Equal schemes, `none` among them, change nothing.

    Returns:
        List of tag names.

    Raises:
        ValueError: If one scheme is `none` and the other is not.
    """
    if source == target:
        return list(tags)
    _check_convertible(source, target)
    converted, previous = ["O"] * len(tags), None
    for span_type, start, end in spans(tags, source):
        touching = previous == (span_type, start)
        letters = _letters(end - start, target, touching)
        converted[start:end] = [f"{letter}-{span_type}" for letter in letters]
        previous = (span_type, end)
    return converted


def _letters(length, encoding, touching):
    """The prefixes of a span; `touching`: right after another of its type."""
    if encoding == "iob1":
        return ("B" if touching else "I") + "I" * (length - 1)
    if encoding == "bio":
        return "B" + "I" * (length - 1)
    letters = "S" if length == 1 else "B" + "I" * (length - 2) + "E"
    return letters.translate(_AS_BILOU) if encoding == "bilou" else letters


def converted_names(names, source, target):
    """The tags that `convert` can give where `names` are those of a corpus.

    Args:
        names: Names of the tags of a corpus.
        source: Their scheme, one of `ENCODINGS`.
        target: The scheme of the result.

    Returns:
        List of tag names: every type with every prefix, as two tags of a short span may be
        all that is known of its type. Equal schemes change nothing.

    Raises:
        ValueError: If one scheme is `none` and the other is not.
    """
    if source == target:
        return list(names)
    _check_convertible(source, target)
    types = sorted({split_tag(name, source)[1] for name in names} - {""})
    return ["O", *(f"{prefix}-{name}" for name in types for prefix in _PREFIXES[target])]


def _check_convertible(source, target):
    if "none" in (source, target):
        raise ValueError(
            "`target` must be a scheme of spans, as `source` must, or equal to it. "
            f"Received: source={source!r}, target={target!r}"
        )
