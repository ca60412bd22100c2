from seqnlp.text import TranslationNames
from seqnlp.text.translation_names import word_numbers


def test_pieces_have_the_number_of_their_word():
    assert word_numbers(["▁the", "▁ca", "t", "▁.", "[END]"]) == [0, 1, 1, 2, -1]
    assert word_numbers(["the", "▁cat", "[END]"]) == [0, 1, -1]
    assert word_numbers(["ro", "##ad", "way", "[END]"]) == [0, 0, 1, -1]
    assert word_numbers(["[END]"]) == [-1]


def test_each_side_joins_its_own_pieces():
    names = TranslationNames(["[PAD]", "▁a", "b"], ["[PAD]", "ro", "##ad", "way"])
    assert names.source_sentences([[1, 2, 1], []]) == ["ab a", ""]
    assert names.target_sentences([[1, 2, 3]]) == ["road way"]
