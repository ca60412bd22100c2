"""BLEU and chrF of translations, counted by sacrebleu."""

from typing import NamedTuple

# Those that sacrebleu offers without downloading a model; the two of MeCab need its extras.
TOKENIZERS = ("none", "13a", "intl", "char", "zh", "ja-mecab", "ko-mecab")


class CorpusScore(NamedTuple):
    """A score from 0 to 100, and what it was counted with, so that it can be compared."""

    score: float
    signature: str


def bleu(hypotheses, references, tokenize="13a", lowercase=False):
    """BLEU of a corpus: precision of n-grams up to 4, with brevity penalty.

    The strings are meant to be plain text, as people write it: sacrebleu cuts them into tokens.
    With `lowercase=True` it is the lower-cased tokenised BLEU of older papers, as near as plain
    text gets to it.

    Args:
        hypotheses: List of strings, the translations.
        references: List of strings, what is right, one for each hypothesis.
        tokenize: How sacrebleu finds tokens: `"13a"`, that of the WMT, for European languages,
            `"intl"`, `"char"`, `"zh"`, `"ja-mecab"`, `"ko-mecab"`, or `"none"` for blanks alone.
        lowercase: Whether case is ignored.

    Returns:
        `CorpusScore` of `score` and `signature`.

    Raises:
        ValueError: If the lists are empty or of different length, or there is no such tokenizer.
        ImportError: If sacrebleu, or what its MeCab tokenizers use, is not installed.

    Reference: https://aclanthology.org/P02-1040, https://aclanthology.org/W18-6319
    """
    if tokenize not in TOKENIZERS:
        raise ValueError(
            f"`tokenize` must be one of {', '.join(TOKENIZERS)}. Received: tokenize={tokenize!r}"
        )
    _check(hypotheses, references)
    metrics = _sacrebleu()
    try:
        # Without `force` it warns of a blank before a full stop, as tokenised corpora have it.
        metric = metrics.BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
    except RuntimeError as error:
        if not tokenize.endswith("-mecab"):
            raise
        extra = tokenize.removesuffix("-mecab")
        raise ImportError(
            f'the tokenizer {tokenize} needs MeCab: pip install "sacrebleu[{extra}]"'
        ) from error
    return _score(metric, hypotheses, references)


def chrf(hypotheses, references, word_order=0, lowercase=False):
    """chrF of a corpus: F2 of character n-grams up to 6, blanks left out.

    It needs no tokenizer, which makes it fair to languages such as Korean.

    Args:
        hypotheses: List of strings, the translations.
        references: List of strings, what is right, one for each hypothesis.
        word_order: Longest n-gram of words that counts too; 2 is chrF++.
        lowercase: Whether case is ignored.

    Returns:
        `CorpusScore` of `score` and `signature`.

    Raises:
        ValueError: If the lists are empty or of different length, or `word_order` is negative.
        ImportError: If sacrebleu is not installed.

    Reference: https://aclanthology.org/W15-3049
    """
    if word_order < 0:
        raise ValueError(f"`word_order` must be at least 0. Received: word_order={word_order}")
    _check(hypotheses, references)
    metric = _sacrebleu().CHRF(word_order=word_order, lowercase=lowercase)
    return _score(metric, hypotheses, references)


def _check(hypotheses, references):
    if not hypotheses:
        raise ValueError(f"`hypotheses` must not be empty. Received: hypotheses={hypotheses}")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"`references` must hold {len(hypotheses)} sentences, as `hypotheses` does. "
            f"Received: len(references)={len(references)}"
        )


def _score(metric, hypotheses, references):
    score = metric.corpus_score(list(hypotheses), [list(references)]).score
    return CorpusScore(float(score), str(metric.get_signature()))


def _sacrebleu():
    try:
        from sacrebleu import metrics
    except ImportError as error:
        raise ImportError('BLEU and chrF need sacrebleu: pip install "seqnlp[metrics]"') from error
    return metrics
