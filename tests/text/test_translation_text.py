import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.text import SentencePiece, TranslationNames, TranslationText, WordPiece
from seqnlp.text.names import END, END_ID, PADDING, START, UNKNOWN
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

TOKENS = [PADDING, UNKNOWN, START, END, "ein", "##e", "mann", "."]
STRINGS = [*SENTENCES, *DECOMPOSED, *(string for string, _ in EDGES)]


def joint(**kwargs):
    return TranslationText(SentencePiece(model()), **kwargs)


def separate(**kwargs):
    return TranslationText(WordPiece(TOKENS, lowercase=True), SentencePiece(model()), **kwargs)


def texts(strings):
    return [string.decode() for string in strings.numpy().tolist()]


def test_a_source_is_its_pieces_and_the_end():
    text = joint()
    ids = text.encode_source([*SENTENCES, "", "  "])
    assert ids.dtype == tf.int32
    pieces = text.source.tokenize([*SENTENCES, "", "  "]).to_list()
    assert ids.to_list() == [[*row, END_ID] for row in pieces]
    assert ids.to_list()[-2:] == [[END_ID], [END_ID]]


def test_a_target_is_its_pieces_alone_and_never_cut():
    text = separate(max_length=2)
    assert text.encode_target(SENTENCES).to_list() == text.target.tokenize(SENTENCES).to_list()
    assert text.encode_target([""]).to_list() == [[]]


@pytest.mark.parametrize(
    ("max_length", "expected", "cut"),
    [
        (1, [[3], [3], [3]], [True, True, False]),
        (2, [[4, 3], [4, 3], [3]], [True, True, False]),
        (4, [[4, 5, 6, 3], [4, 6, 3], [3]], [True, False, False]),
        (5, [[4, 5, 6, 7, 3], [4, 6, 3], [3]], [False, False, False]),
        (None, [[4, 5, 6, 7, 3], [4, 6, 3], [3]], [False, False, False]),
    ],
)
def test_a_source_is_cut_to_the_longest_length_and_says_so(max_length, expected, cut):
    text = TranslationText(WordPiece(TOKENS), max_length=max_length)
    strings = ["eine mann .", "ein mann", ""]
    ids, truncated = text.read_source(strings)
    assert ids.to_list() == text.encode_source(strings).to_list() == expected
    assert truncated.numpy().tolist() == cut


def test_no_strings_give_no_ids():
    ids, truncated = joint(max_length=3).read_source(tf.constant([], tf.string))
    assert ids.to_list() == []
    assert truncated.shape == (0,)


def test_both_sides_share_their_pieces_where_one_is_given():
    source = SentencePiece(model())
    assert TranslationText(source).joint
    assert TranslationText(source, source).joint
    assert TranslationText(source).target is source
    assert not TranslationText(source, SentencePiece(model())).joint


def test_each_side_has_its_size_and_its_pieces():
    text = separate()
    assert (text.source_vocabulary_size, text.target_vocabulary_size) == (len(TOKENS), 160)
    assert texts(text.source_pieces([4, 5])) == ["ein", "##e"]
    assert texts(text.pieces([3, 10])) == [END, text.target.tokens[10]]


def test_translations_of_any_shape_are_decoded():
    text = separate()
    rows = text.encode_target(SENTENCES[:6])
    ids = rows.to_tensor().numpy()
    lengths = rows.row_lengths().numpy()
    assert texts(text.decode(ids, lengths)) == SENTENCES[:6]
    n_best = text.decode(ids.reshape(2, 3, -1), lengths.reshape(2, 3))
    assert n_best.shape == (2, 3)
    assert texts(tf.reshape(n_best, [-1])) == SENTENCES[:6]
    assert text.decode(ids[0], lengths[0]).numpy().decode() == SENTENCES[0]


def test_what_stands_behind_the_length_is_left_out():
    text = joint()
    row = text.encode_target(SENTENCES[:1]).to_list()[0]
    ids = np.array([[*row, END_ID, *row], [*row, END_ID, *row]])
    strings = texts(text.decode(ids, np.array([len(row) + 1, 0])))
    assert strings == [SENTENCES[0], ""]
    assert texts(text.decode(ids[:, : len(row) + 1])) == [SENTENCES[0]] * 2
    assert texts(text.decode(ids, np.array([10_000, len(row)])))[1] == SENTENCES[0]


@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (0, 0), (2, 0, 3), (2, 3, 0)])
def test_nothing_is_decoded_to_nothing(shape):
    strings = joint().decode(np.zeros(shape, "int32"), np.zeros(shape[:-1], "int32"))
    assert strings.shape == shape[:-1]
    assert set(strings.numpy().ravel().tolist()) <= {b""}


def answers(text):
    def run(strings):
        ids, truncated = text.read_source(strings)
        target = text.encode_target(strings)
        dense = target.to_tensor()
        return {
            "ids": ids.to_tensor(),
            "truncated": truncated,
            "strings": text.decode(dense[:, None], target.row_lengths()[:, None]),
            "pieces": text.pieces(dense),
            "source_pieces": text.source_pieces(ids.to_tensor()),
        }

    return run


def as_arrays(outputs):
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.parametrize("make", [joint, separate])
def test_a_saved_model_gives_the_same(make, tmp_path):
    text = make(max_length=8)
    expected = to_json(as_arrays(answers(text)(tf.constant(STRINGS))))
    save_function(text, answers(text), tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    assert to_json(as_arrays(loaded.run(tf.constant(STRINGS)))) == expected
    assert loaded.run(tf.constant([], tf.string))["strings"].shape == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("python", [sys.executable, PYTHON_220], ids=["ours", "2.20"])
def test_a_saved_model_needs_neither_keras_nor_this_library(python, tmp_path):
    text = separate(max_length=8)
    save_function(text, answers(text), tmp_path)
    expected = to_json(as_arrays(answers(text)(tf.constant(STRINGS))))
    assert run_bare(tmp_path, STRINGS, python) == expected


@pytest.mark.parametrize("make", [joint, separate])
def test_a_config_of_json_rebuilds_it(make):
    config = json.loads(json.dumps(make(max_length=9).get_config()))
    rebuilt = TranslationText.from_config(config)
    assert rebuilt.get_config() == make(max_length=9).get_config()
    assert rebuilt.joint == make().joint
    assert (
        rebuilt.encode_source(STRINGS).to_list()
        == make(max_length=9).encode_source(STRINGS).to_list()
    )


@pytest.mark.parametrize(
    ("make", "files"),
    [
        (joint, {"joint.spm", "text.json"}),
        (separate, {"source.txt", "target.spm", "text.json"}),
        (lambda **k: TranslationText(WordPiece(TOKENS), **k), {"joint.txt", "text.json"}),
    ],
)
def test_it_comes_back_from_its_files(tmp_path, make, files):
    for other in (joint, separate):  # of which nothing stays behind
        other().save(str(tmp_path))
    make(max_length=9).save(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == files
    loaded = TranslationText.load(str(tmp_path))
    assert loaded.get_config() == make(max_length=9).get_config()
    assert loaded.joint == make().joint


@pytest.mark.parametrize("make", [joint, separate])
def test_the_names_are_the_pieces_of_both_sides(tmp_path, make):
    text = make()
    text.save(str(tmp_path))
    names = TranslationNames.load(str(tmp_path))
    assert names.source == text.source.tokens
    assert names.target == text.target.tokens
    assert names.joint == text.joint


@pytest.mark.parametrize("subwords", ["bpe", "unigram", "bytes", "words"])
def test_names_join_pieces_as_the_text_does(tmp_path, subwords):
    if subwords == "words":
        text = TranslationText(WordPiece(TOKENS))
    else:
        kind = "bpe" if subwords == "bytes" else subwords
        text = TranslationText(SentencePiece(model(kind, byte_fallback=subwords == "bytes")))
    text.save(str(tmp_path))
    names = TranslationNames.load(str(tmp_path))
    least = 1 if subwords != "words" else 4  # unknown words are left as they are there
    random = np.random.default_rng(0)
    rows = [random.integers(4, len(names.target), size=size).tolist() for size in range(30)]
    rows += [[least, *row] for row in rows]
    if subwords == "bytes":  # random ones are no UTF-8
        rows = text.encode_target(["Mann \U0001f600\u4e00 Ein", "\u4e00", *SENTENCES]).to_list()
        assert sum(names.target[piece].startswith("<0x") for piece in rows[0]) == 4 + 3
    expected = [
        string.strip() for string in texts(text.decode(tf.ragged.constant(rows).to_tensor()))
    ]
    assert names.target_sentences(rows) == expected


@pytest.mark.parametrize("load", [TranslationText.load, TranslationNames.load])
@pytest.mark.parametrize("name", ["source.txt", "target.spm", "text.json"])
def test_a_missing_file_is_named(tmp_path, load, name):
    separate().save(str(tmp_path))
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path / name}: there is no such file."


@pytest.mark.parametrize("load", [TranslationText.load, TranslationNames.load])
@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        (
            "source.txt",
            "[PAD]\n[UNK]\n[END]\n[START]\na\n",
            ", line 3: expected the special '[START]'. Received: '[END]'",
        ),
        ("source.txt", "[PAD]\n[UNK]\n[START]\n", ", line 4: expected the special '[END]'. "
         "Received: end of file"),
        ("source.txt", "", ", line 1: expected the special '[PAD]'. Received: end of file"),
        ("target.spm", "no", ": `model` must be the bytes of a sentencepiece model. "
         "Received: model of 2 bytes, damaged or cut short"),
        ("text.json", "{", ": must be JSON (Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1))."),
        ("text.json", "[]", ": expected the keys ['max_length', 'source', 'target']. "
         "Received: []"),
        ("text.json", '{"source": {}}',
         ": expected the keys ['max_length', 'source', 'target']. Received: ['source']"),
        ("text.json", '{"source": null, "target": null, "max_length": 3}',
         ": `source` must be an object whose `name` is one of ['SentencePiece', 'WordPiece']. "
         "Received: source=None"),
        ("text.json", '{"source": {"name": "WordPiece"}, "target": {"name": "X"}, '
         '"max_length": 3}',
         ": `target` must be an object whose `name` is one of ['SentencePiece', 'WordPiece']. "
         "Received: target={'name': 'X'}"),
        ("text.json", '{"source": {"name": ["X"]}, "target": null, "max_length": 3}',
         ": `source` must be an object whose `name` is one of ['SentencePiece', 'WordPiece']. "
         "Received: source={'name': ['X']}"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_named(tmp_path, load, name, data, complaint):
    separate().save(str(tmp_path))
    (tmp_path / name).write_text(data)
    with pytest.raises(ValueError, match=name) as caught:
        load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path / name}{complaint}"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"max_length": 0}, "`max_length` must be a whole number, at least 1, or None. "
         "Received: max_length=0"),
        ({"max_length": "3"}, "`max_length` must be a whole number, at least 1, or None. "
         "Received: max_length='3'"),
        ({"source": {"name": "WordPiece", "case": 1}}, "`source` must have the settings of a "
         "WordPiece. Received: source={'name': 'WordPiece', 'case': 1}"),
        ({"source": {"name": "WordPiece", "unknown": "a"}}, "`unknown` must be one of "
         "('[PAD]', '[UNK]', '[START]', '[END]'). Received: unknown='a'"),
    ],
)  # fmt: skip
def test_a_wrong_setting_names_its_file(tmp_path, settings, complaint):
    separate().save(str(tmp_path))
    path = tmp_path / "text.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    with pytest.raises(ValueError, match="must") as caught:
        TranslationText.load(str(tmp_path))
    assert str(caught.value).endswith(complaint)
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (lambda: (None,)),
            "`source` must be a SentencePiece or a WordPiece. Received: source=NoneType",
        ),
        (
            (lambda: (SentencePiece(model()), "x")),
            "`target` must be a SentencePiece or a WordPiece. Received: target=str",
        ),
        (
            (lambda: (WordPiece(["a", *TOKENS]),)),
            "`source` must begin with the tokens ['[PAD]', '[UNK]', '[START]', '[END]']. "
            "Received: source that begins with ['a', '[PAD]', '[UNK]', '[START]']",
        ),
        (
            (lambda: (SentencePiece(model()), None, 0)),
            "`max_length` must be a whole number, at least 1, or None. Received: max_length=0",
        ),
        (
            (lambda: (SentencePiece(model()), None, 2.5)),
            "`max_length` must be a whole number, at least 1, or None. Received: max_length=2.5",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match="must") as caught:
        TranslationText(*arguments())
    assert str(caught.value) == message


def test_a_config_without_a_known_kind_is_refused():
    config = {**joint().get_config(), "source": {"name": "X"}}
    with pytest.raises(ValueError, match="`source` must be") as caught:
        TranslationText.from_config(config)
    assert str(caught.value) == (
        "`source` must be an object whose `name` is one of ['SentencePiece', 'WordPiece']. "
        "Received: source={'name': 'X'}"
    )
