import collections
import hashlib
import io
import os
import random
import subprocess
import sys
import unicodedata

import apache_beam as beam
import pytest
import sentencepiece
from apache_beam.testing.util import assert_that, equal_to

from seqnlp.preprocessing import CountValues, learn_sentence_piece, learn_word_piece
from seqnlp.preprocessing.composing import composing_rules
from seqnlp.text import WordPiece
from seqnlp.text.piece_models import read_pieces
from serving.double_process import ROOT
from tests.text.small_subwords import DECOMPOSED, GERMAN, KOREAN, SENTENCES, SIZES

COUNTS = collections.Counter(word for sentence in SENTENCES for word in sentence.split())


def learn(counts=SENTENCES, model_type="bpe", size=None, **options):
    options = {"character_coverage": 1, **options}
    return learn_sentence_piece(counts, size or SIZES[model_type], model_type, **options)


def reader(model):
    return sentencepiece.SentencePieceProcessor(model_proto=model)


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_the_same_counts_give_the_same_bytes(model_type):
    expected = learn(model_type=model_type)
    shuffled = random.Random(1).sample(SENTENCES, len(SENTENCES))
    assert learn(shuffled, model_type) == expected
    assert learn(iter(SENTENCES), model_type) == expected
    assert learn(COUNTS, model_type) == expected
    assert learn(dict(reversed(COUNTS.items())), model_type) == expected
    assert learn(dict.fromkeys(SENTENCES, 1), model_type) == expected


def test_another_process_gives_the_same_bytes():
    program = (
        "import hashlib\n"
        "from tests.preprocessing.test_subwords import learn\n"
        "print(hashlib.sha256(learn(model_type='unigram')).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    expected = hashlib.sha256(learn(model_type="unigram")).hexdigest()
    assert done.stdout.split() == [expected], done.stderr


def test_words_with_counts_teach_what_their_sentences_do():
    # The library itself, on the sentences as they stand: pieces never span a space.
    rules = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}
    from_sentences = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=from_sentences,
        vocab_size=SIZES["bpe"],
        model_type="bpe",
        character_coverage=1,
        minloglevel=2,
        **rules,
    )
    theirs, ours = reader(from_sentences.getvalue()), reader(learn())
    for sentence in SENTENCES:
        assert ours.encode(sentence, out_type=str) == theirs.encode(sentence, out_type=str)


def test_counts_weigh():
    many = {"aabb": 100, "ccdd": 1, "xyz": 1}
    assert "▁aabb" in read_pieces(learn(many, size=17))
    other = {"aabb": 1, "ccdd": 100, "xyz": 1}
    assert "▁ccdd" in read_pieces(learn(other, size=17))
    assert "▁aabb" not in read_pieces(learn(other, size=17))


def test_the_specials_have_the_names_and_ids_of_translation():
    names = [reader(learn()).id_to_piece(id_) for id_ in range(4)]
    assert names == ["[PAD]", "[UNK]", "[START]", "[END]"]
    model = reader(learn())
    assert (model.pad_id(), model.unk_id(), model.bos_id(), model.eos_id()) == (0, 1, 2, 3)


def test_no_path_of_this_machine_is_in_the_model():
    assert b"rules.tsv" not in learn()
    assert b"/tmp" not in learn()


def test_bytes_stand_in_for_unknown_characters():
    model = reader(learn(size=416, byte_fallback=True))
    assert model.decode(model.encode("Ein 😀 Mann")) == "Ein 😀 Mann"
    assert 1 not in model.encode("Ein 😀 Mann")


def test_rare_characters_may_go_without_pieces():
    counts = {"aaaa": 1000, "b": 1, "c": 1}
    assert 1 in reader(learn(counts, size=7, character_coverage=0.99)).encode("b")
    assert 1 not in reader(learn(counts, size=9)).encode("b")


@pytest.mark.parametrize("form", ["nfc", "nfkc"])
def test_decomposed_korean_and_german_teach_and_are_cut_as_composed(form):
    model = reader(learn(DECOMPOSED, form=form))
    expected = reader(learn(SENTENCES, form=form))
    for sentence, decomposed in zip(SENTENCES, DECOMPOSED, strict=True):
        assert model.encode(decomposed) == expected.encode(sentence)
        assert model.decode(model.encode(decomposed)) == sentence


def test_compatibility_forms_are_kept_by_nfc_and_not_by_nfkc():
    counts = {"…": 5, "ﬁn": 5, "...": 5, "fin": 5}
    assert reader(learn(counts, size=12)).normalize("…ﬁn") == "▁…ﬁn"
    assert reader(learn(counts, size=10, form="nfkc")).normalize("…ﬁn") == "▁...fin"


def test_the_rules_compose_every_letter_and_syllable():
    model = reader(learn())
    letters = [
        character
        for character in map(chr, range(0x80, sys.maxunicode + 1))
        if unicodedata.normalize("NFD", character) != character and not character.isspace()
    ]
    assert len(letters) > 13_000
    for form in ("NFC", "NFD"):
        spelled = [unicodedata.normalize(form, letter) for letter in letters]
        composed = [model.normalize(f"_{text}") for text in spelled]
        assert composed == [f"▁_{unicodedata.normalize('NFC', letter)}" for letter in letters]
    # half composed, and marks in the other order
    for text in ("가\u11a8", "\u00e2\u0323", "\u1ea1\u0302", "a\u0302\u0323", "o\u031b\u0323"):
        assert model.normalize(text) == f"▁{unicodedata.normalize('NFC', text)}"


def test_the_rules_leave_the_rest_alone():
    rules = composing_rules()
    for text, replacement in rules.items():
        if unicodedata.normalize("NFC", text) != replacement:
            assert replacement in ("", " ")
            assert text.isspace() or text in "\u200b\u2581\ufeff" or ord(text) < 0xA0
    model = reader(learn())
    text = "… ½ ﬁ Ａ １ ① ™ 👨\u200d👩 ㅎ \u1112 e\u20dd"
    assert model.normalize(text) == "▁" + text.replace(" ", "▁")
    assert model.normalize(" a\t\u3000b\n\u200b\x07c\ufeff\x7f ") == "▁a▁b▁c"


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_a_size_that_does_not_fit_is_told_one_that_does(model_type):
    limits = {}
    for size, key in ((20, "least"), (50_000, "most")):
        with pytest.raises(ValueError, match="`vocabulary_size` must be at") as caught:
            learn(size=size, model_type=model_type)
        message = str(caught.value)
        assert message.endswith(f"Received: vocabulary_size={size}")
        assert "INTERNAL" not in message
        limits[key] = int(message.split("must be at ")[1].split()[1])
    for size in limits.values():
        assert reader(learn(size=size, model_type=model_type)).get_piece_size() == size
    for size in (limits["least"] - 1, limits["most"] + 1):
        with pytest.raises(ValueError, match="`vocabulary_size` must be at"):
            learn(size=size, model_type=model_type)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_type": "word"}, "`model_type` must be one of ('bpe', 'unigram'). "
         "Received: model_type='word'"),
        ({"form": "nfd"}, "`form` must be one of ('nfc', 'nfkc'). Received: form='nfd'"),
        ({"vocabulary_size": 4}, "`vocabulary_size` must be a whole number, at least 5: four "
         "specials and a piece. Received: vocabulary_size=4"),
        ({"vocabulary_size": 9.5}, "`vocabulary_size` must be a whole number, at least 5: four "
         "specials and a piece. Received: vocabulary_size=9.5"),
        ({"character_coverage": 0.5}, "`character_coverage` must be from 0.98 to 1. "
         "Received: character_coverage=0.5"),
        ({"counts": []}, "`counts` must hold words with characters to learn, not too long ones "
         "alone. Received: counts with 0 texts, none with such a word"),
        ({"counts": {" \0\u3000": 3}}, "`counts` must hold words with characters to learn, not "
         "too long ones alone. Received: counts with 1 texts, none with such a word"),
        ({"counts": {"\x07": 3}}, "`counts` must hold words with characters to learn, not "
         "too long ones alone. Received: counts with 1 texts, none with such a word"),
        ({"counts": {"x" * 5000: 3}}, "`counts` must hold words with characters to learn, not "
         "too long ones alone. Received: counts with 1 texts, none with such a word"),
        *[({"counts": {text: count}}, "`counts` must be a mapping from valid strings to whole "
           "numbers, at least 1, or an iterable of valid strings. "
           f"Received: counts={{..., {text!r}: {count!r}, ...}}")
          for text, count in [("a", 0), ("a", -1), ("a", 1.5), (b"a", 1), ("\ud800", 1)]],
    ],
)  # fmt: skip
def test_what_cannot_be_learned_is_refused(arguments, message):
    with pytest.raises(ValueError, match="must") as caught:
        learn_sentence_piece(**{"counts": SENTENCES, "vocabulary_size": 160, **arguments})
    assert str(caught.value) == message


def test_without_sentencepiece_an_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ImportError) as caught:
        learn()
    assert str(caught.value) == (
        'learning subwords needs sentencepiece: pip install "seqnlp[beam]"'
    )


def test_a_beam_worker_learns_from_the_counts_that_beam_gathers():
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        models = (
            pipeline
            | beam.Create(SENTENCES)
            | CountValues(str.split)
            | beam.combiners.ToList()
            | beam.Map(lambda pairs: hashlib.sha256(learn(dict(pairs))).hexdigest())
        )
        assert_that(models, equal_to([hashlib.sha256(learn()).hexdigest()]))


@pytest.mark.parametrize("lowercase", [False, True])
def test_word_pieces_spell_every_word_that_they_were_learned_from(lowercase):
    tokens = learn_word_piece(SENTENCES, 400, lowercase)
    assert tokens[:4] == ["[PAD]", "[UNK]", "[START]", "[END]"]
    assert len(set(tokens)) == len(tokens) <= 400
    subwords = WordPiece(tokens, lowercase)
    assert all(1 not in row for row in subwords.tokenize(SENTENCES).to_list())


def test_word_pieces_are_the_same_in_any_order_of_the_counts():
    expected = learn_word_piece(SENTENCES, 400)
    assert learn_word_piece(COUNTS, 400) == expected
    assert learn_word_piece(dict(reversed(COUNTS.items())), 400) == expected


def test_frequent_words_become_tokens():
    tokens = learn_word_piece({"Straße,": 50, "Straßen": 2, "Zaun": 1}, 40)
    assert "Straße" in tokens
    assert "," in tokens
    tokens = learn_word_piece({"Straße,": 50, "Straßen": 2, "Zaun": 1}, 26)
    assert "Straße" in tokens
    assert "Zaun" not in tokens


def test_a_vocabulary_is_filled_where_the_corpus_lets_it():
    draw = random.Random(2)
    counts = {"".join(draw.choices("abcdefgh", k=6)): 3 * rank for rank in range(1, 400)}
    assert 95 <= len(learn_word_piece(counts, 100)) <= 100
    assert 285 <= len(learn_word_piece(counts, 300)) <= 300


def test_words_of_rare_characters_may_be_left_out():
    counts = {"ab": 10, "ba": 10, "c": 1}
    assert "c" in learn_word_piece(counts, 20)
    assert "c" not in learn_word_piece(counts, 20, max_characters=2)


def test_a_vocabulary_too_small_for_word_pieces_is_told_one_that_is_not():
    for corpus in (GERMAN, KOREAN):
        with pytest.raises(ValueError, match="`vocabulary_size` must be at least") as caught:
            learn_word_piece(corpus, 20)
        least = int(str(caught.value).split("at least ")[1].split()[0])
        assert str(caught.value).endswith("Received: vocabulary_size=20")
        assert len(learn_word_piece(corpus, least)) == least


@pytest.mark.parametrize("counts", [[], {" ": 1}, {"\u200b": 1}, {"x" * 51: 1}])
def test_word_pieces_need_words(counts):
    with pytest.raises(ValueError, match="`counts` must hold words with characters to learn"):
        learn_word_piece(counts, 100)


def test_without_tensorflow_text_an_error_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("tensorflow_text")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError) as caught:
        learn_word_piece(SENTENCES, 400)
    assert str(caught.value) == (
        'learning word pieces needs tensorflow-text: pip install "seqnlp[tensorflow]"'
    )
