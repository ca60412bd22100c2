import sys
import time
import unicodedata

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from seqnlp.text import SentencePiece
from seqnlp.text.piece_models import proto_fields
from serving.check import PYTHON_220
from tests.text.small_subwords import (
    DECOMPOSED,
    EDGES,
    SENTENCES,
    model,
    run_bare,
    save_function,
    to_json,
)

KINDS = [("bpe", {}), ("unigram", {}), ("bpe", {"byte_fallback": True})]
IDS = ["bpe", "unigram", "bytes"]


def subwords(model_type="bpe", **options):
    return SentencePiece(model(model_type, **options))


def texts(strings):
    return [string.decode() for string in strings.numpy().tolist()]


def back(subwords, strings):
    return texts(subwords.detokenize(subwords.tokenize(strings)))


@pytest.mark.parametrize(("model_type", "options"), KINDS, ids=IDS)
def test_the_ids_are_those_of_the_library(model_type, options):
    ours = subwords(model_type, **options)
    size = ours.vocabulary_size
    library = sentencepiece.SentencePieceProcessor(model_proto=model(model_type, **options))
    strings = [*SENTENCES, *DECOMPOSED, "Ein 😀 Mannmann …", "Hähä, 초록남자!", "", "   "]
    ids = ours.tokenize(strings)
    assert ids.dtype == tf.int32
    assert ids.to_list() == [library.encode(string) for string in strings]
    assert texts(ours.detokenize(ids)) == [library.decode(row) for row in ids.to_list()]
    assert ours.tokens == [library.id_to_piece(id_) for id_ in range(size)]


@pytest.mark.parametrize(("model_type", "options"), KINDS, ids=IDS)
def test_sentences_come_back_composed(model_type, options):
    ours = subwords(model_type, **options)
    assert back(ours, SENTENCES) == SENTENCES
    assert back(ours, DECOMPOSED) == SENTENCES


def test_what_a_reader_sees_comes_back_as_it_is():
    seen = ["… ½ ﬁ Ａ１ ① ㎏ ™ «a» „b“ – ー ㅎ", "👨\u200d👩\u200d👧 🇰🇷 ❤️", "中文 かな"]
    assert back(subwords(byte_fallback=True), seen) == seen


@pytest.mark.parametrize(("string", "expected"), EDGES)
def test_strings_that_no_corpus_prepares_for(string, expected):
    for kind in ("bpe", "unigram"):
        ours = subwords(kind)
        ids = ours.tokenize([string]).to_list()[0]
        assert not {0, 2, 3} & set(ids)
        if expected is not None:
            # What is unknown on end is one unknown, and the space before it may be in it.
            assert " ".join(back(ours, [string])[0].split()) == " ".join(expected.split())


@pytest.mark.parametrize("text", ["Mann ", "Mann", "q", "\xff", "한 ", "\u0301"])
def test_a_text_of_100_kb_is_cut_in_time(text):
    long = text * (100_000 // len(text.encode()))
    for kind in ("bpe", "unigram"):
        ours = subwords(kind)
        begin = time.monotonic()
        ids = ours.tokenize([long, text])
        assert time.monotonic() - begin < 10
        assert ids.to_list()[0][:1] == ids.to_list()[1][:1]
        assert back(ours, [long])[0].count("Mann") == long.count("Mann")


def test_no_strings_and_no_ids_give_nothing():
    ours = subwords()
    ids = ours.tokenize(tf.constant([], tf.string))
    assert ids.to_list() == []
    assert ours.detokenize(ids).shape == (0,)
    assert texts(ours.detokenize(tf.ragged.constant([[], []], tf.int32, 1))) == ["", ""]
    assert ours.pieces(tf.zeros([0, 3], tf.int32)).shape == (0, 3)


def test_padding_start_and_end_stand_for_nothing():
    ours = subwords()
    row = ours.tokenize(SENTENCES[:1]).to_list()[0]
    mixed = [2, *row[:3], 0, 3, *row[3:], 3, 0, 0]
    assert texts(ours.detokenize(tf.ragged.constant([mixed, [2, 3, 0]]))) == [SENTENCES[0], ""]


@pytest.mark.parametrize("number", [-1, 160, 2**31 - 1, -(2**31), 2**32 + 5])
def test_a_number_that_is_no_id_is_unknown(number):
    ours = subwords()
    ids = tf.ragged.constant([[number], [1]], tf.int64)
    strings = texts(ours.detokenize(ids))
    assert strings[0] == strings[1] == " \u2047 "
    assert ours.pieces(ids).to_list() == [[b"[UNK]"], [b"[UNK]"]]


def test_pieces_have_the_shape_of_their_ids():
    ours = subwords()
    ids = np.arange(24).reshape(2, 3, 4)
    pieces = ours.pieces(ids).numpy()
    assert pieces.shape == (2, 3, 4)
    assert [piece.decode() for piece in pieces.ravel()] == ours.tokens[:24]
    assert ours.pieces(3).numpy() == b"[END]"
    ragged = ours.pieces(tf.ragged.constant([[[2], []], [[3, 0]]]))
    assert ragged.to_list() == [[[b"[START]"], []], [[b"[END]", b"[PAD]"]]]


@pytest.mark.parametrize(("model_type", "options"), KINDS, ids=IDS)
def test_offsets_say_what_each_piece_stands_for(model_type, options):
    ours = subwords(model_type, **options)
    strings = [text.encode() for text in (*SENTENCES, *DECOMPOSED)]
    strings += [b"  Ein \xff\xfe  Mann\xed\x95 x ", b"\xff", b"", b" "]
    ids, starts, ends = ours.tokenize_with_offsets(strings)
    assert ids.to_list() == ours.tokenize(strings).to_list()
    assert starts.dtype == ends.dtype == tf.int64
    pieces = ours.pieces(ids).to_list()
    for string, row, *offsets in zip(
        strings, pieces, starts.to_list(), ends.to_list(), strict=True
    ):
        before = None
        for piece, start, end in zip(row, *offsets, strict=True):
            assert before in (None, start), "a piece begins where the one before it ends"
            before = end
            raw = string[start:end].decode(errors="replace")
            if not piece.startswith((b"[UNK]", b"<0x")):
                composed = unicodedata.normalize("NFC", raw)
                assert composed.split() == piece.decode().replace("\u2581", " ").split()


def test_offsets_of_broken_strings_are_in_the_bytes_that_came():
    ids, starts, ends = subwords().tokenize_with_offsets([b"Mann \xff\xfe\xed\x95 Mann"])
    spans = list(zip(ids.to_list()[0], starts.to_list()[0], ends.to_list()[0], strict=True))
    unknown = [(start, end) for id_, start, end in spans if id_ == 1]
    assert unknown == [(5, 9)]
    assert spans[-1][2] == 14


def test_a_graph_gives_the_same():
    ours = subwords()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def cut(strings):
        ids = ours.tokenize(strings)
        return ids, ours.detokenize(ids)

    ids, strings = cut(tf.constant(DECOMPOSED))
    assert ids.to_list() == ours.tokenize(SENTENCES).to_list()
    assert texts(strings) == SENTENCES


def as_arrays(outputs):
    return {name: value.numpy() for name, value in outputs.items()}


def answers(ours):
    def run(strings):
        ids, starts, ends = ours.tokenize_with_offsets(strings)
        dense = ids.to_tensor()
        return {
            "ids": dense,
            "lengths": ids.row_lengths(),
            "starts": starts.to_tensor(),
            "ends": ends.to_tensor(),
            "strings": ours.detokenize(ids),
            "pieces": ours.pieces(dense),
        }

    return run


STRINGS = [*SENTENCES, *DECOMPOSED, *(string for string, _ in EDGES)]


@pytest.mark.parametrize(("model_type", "options"), KINDS, ids=IDS)
def test_a_saved_model_gives_the_same(model_type, options, tmp_path):
    ours = subwords(model_type, **options)
    expected = as_arrays(answers(ours)(tf.constant(STRINGS)))
    save_function(ours, answers(ours), tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    assert to_json(as_arrays(loaded.run(tf.constant(STRINGS)))) == to_json(expected)
    for strings in ([""], []):
        ids = loaded.run(tf.constant(strings, tf.string))["ids"]
        assert ids.shape == (len(strings), 0)


@pytest.mark.slow
@pytest.mark.parametrize("python", [sys.executable, PYTHON_220], ids=["ours", "2.20"])
@pytest.mark.parametrize(("model_type", "options"), KINDS, ids=IDS)
def test_a_saved_model_needs_neither_keras_nor_this_library(model_type, options, python, tmp_path):
    ours = subwords(model_type, **options)
    save_function(ours, answers(ours), tmp_path)
    expected = to_json(as_arrays(answers(ours)(tf.constant(STRINGS))))
    assert run_bare(tmp_path, STRINGS, python) == expected


def test_a_config_rebuilds_it():
    config = subwords().get_config()
    assert isinstance(config["model"], str)
    assert SentencePiece.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="`model` must be in base64"):
        SentencePiece.from_config({"model": "?"})


def test_it_comes_back_from_its_file(tmp_path):
    path = str(tmp_path / "joint.spm")
    subwords().save(path)
    with open(path, "rb") as file:
        assert file.read() == model()
    assert SentencePiece.load(path, **subwords().settings()).tokens == subwords().tokens


def test_a_file_that_is_no_model_is_named(tmp_path):
    path = tmp_path / "joint.spm"
    with pytest.raises(FileNotFoundError, match="joint.spm: there is no such file."):
        SentencePiece.load(str(path))
    path.write_bytes(model()[:1000])
    with pytest.raises(ValueError, match="joint.spm") as caught:
        SentencePiece.load(str(path))
    assert str(caught.value) == (
        f"{path}: `model` must be the bytes of a sentencepiece model. "
        "Received: model of 1000 bytes, damaged or cut short"
    )


def test_a_model_with_a_piece_twice_is_refused():
    pieces = [written for number, _, written in proto_fields(model()) if number == 1]
    wrong = b"".join([*pieces, pieces[-1], model()[len(b"".join(pieces)) :]])
    with pytest.raises(ValueError, match="tensorflow-text refuses") as caught:
        SentencePiece(wrong)
    assert str(caught.value).endswith(" is already defined.)")


def test_strings_have_one_axis():
    for method in ("tokenize", "tokenize_with_offsets"):
        with pytest.raises(ValueError, match=r"`strings` must have the shape \(batch,\)"):
            getattr(subwords(), method)([["a"]])


def test_without_tensorflow_text_an_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError) as caught:
        SentencePiece(model())
    assert str(caught.value) == (
        'SentencePiece needs tensorflow-text: pip install "seqnlp[tensorflow]"'
    )
