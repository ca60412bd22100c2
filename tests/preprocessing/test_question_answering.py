"""Questions in files to the windows that a model is trained on."""

import itertools
import json

import numpy as np
import pytest

from seqnlp.preprocessing import PrepareError, prepare_question_answering
from seqnlp.preprocessing.question_examples import label_windows
from seqnlp.records import read_manifest, read_questions
from seqnlp.samples import write_questions
from seqnlp.text import BERTText
from seqnlp.text.bert_names import BERT_SPECIALS
from tests.messages import exactly
from tests.preprocessing.small_corpus import tree

SIZES = {"max_length": 40, "max_question_length": 12, "stride": 9, "vocabulary_size": 400}


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    return str(write_questions(tmp_path_factory.mktemp("corpus"), limit=60)["train"])


@pytest.fixture(scope="module")
def prepared(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    prepare_question_answering(folder, train, num_shards=2, **SIZES)
    return str(folder)


def file(path, *questions):
    """A file of `(id, question, context, answers)`, each a paragraph."""
    paragraphs = []
    for name, question, context, answers in questions:
        answers = [{"text": x, "answer_start": context.index(x)} for x in answers]
        asked = {"id": name, "question": question, "answers": answers}
        asked["is_impossible"] = not answers
        paragraphs.append({"context": context, "qas": [asked]})
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}))
    return str(path)


def many(number, answer="Oslo"):
    return [
        (f"q{at}", "Which city?", f"Number {at} lives in {answer} now.", [answer])
        for at in range(number)
    ]


def test_the_folder_holds_what_readers_need_and_nothing_else(prepared):
    names = {"manifest.json", "rejects/rejects.jsonl", "schema.pbtxt", "statistics.json"}
    names |= {"text.json", "vocab.txt", "questions.json"}
    shards = {f"Split-train/examples-0000{n}-of-00002.tfrecord.gz" for n in range(2)}
    shards |= {f"Split-{s}/examples-00000-of-00001.tfrecord.gz" for s in ("eval", "test")}
    assert set(tree(prepared)) == names | shards


def test_splits_that_are_missing_share_no_context(prepared):
    contexts = {
        split: {question.context for question in read_questions(prepared, split)}
        for split in ("train", "eval", "test")
    }
    assert all(contexts.values())
    assert len(set().union(*contexts.values())) == sum(map(len, contexts.values())) == 60


def test_every_question_is_accounted_for(prepared):
    splits = read_manifest(prepared).statistics["splits"]
    assert sum(found["questions"] for found in splits.values()) == 240
    for split, found in splits.items():
        assert found["questions"] == len(list(read_questions(prepared, split)))
        assert found["windows"] == read_manifest(prepared).records(split)
        assert found["windows"] == sum(count for _, count in found["lengths"]["histogram"])


def test_the_order_of_files_changes_no_byte(train, tmp_path):
    parts = [file(tmp_path / f"{n}.json", *many(30, n)) for n in ("Oslo", "Rome", "Lyon")]
    settings = {**SIZES, "vocabulary_size": 100}
    for at, order in enumerate((parts, parts[::-1])):
        prepare_question_answering(tmp_path / str(at), order, **settings)
    assert tree(tmp_path / "0") == tree(tmp_path / "1")


def test_a_vocabulary_that_is_given_is_taken(train, tmp_path, prepared):
    vocabulary = f"{prepared}/vocab.txt"
    given = {**SIZES, "vocabulary": vocabulary, "lowercase": True}
    prepare_question_answering(tmp_path / "out", train, **given)
    config = BERTText.load(prepared).get_config()
    assert BERTText.load(str(tmp_path / "out")).get_config() == {**config, "lowercase": True}


def test_what_is_cut_or_not_where_pieces_are_is_counted(tmp_path):
    questions = many(60)
    questions += [
        ("long", "Which city? " * 9, "A long one in Rome.", ["Rome"]),
        ("inside", "Which city?", "It is now.", ["no"]),
        ("blank", "Which city?", "It rings \x07 now.", ["\x07"]),
        ("wide", "Which words?", "word " * 60, [("word " * 50).strip()]),
    ]
    train = file(tmp_path / "train.json", *questions)
    dev = file(tmp_path / "dev.json", *many(3), ("none", "Which city?", "Nobody knows.", []))
    letters = [chr(97 + at) for at in range(26)]
    pieces = [*BERT_SPECIALS, "now", ".", "?", *letters, *(f"##{x}" for x in letters)]
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("".join(f"{piece}\n" for piece in pieces))
    settings = {**SIZES, "vocabulary": str(vocabulary), "lowercase": True}
    manifest = prepare_question_answering(tmp_path / "out", train, dev, dev, **settings)
    found = manifest.statistics["splits"]["train"]
    assert {name: found[name] for name in found if name.startswith(("answers", "questions_"))} == {
        "answers_within_pieces": 1,
        "answers_without_pieces": 1,
        "answers_in_no_window": 1,
        "questions_cut": 1,
    }
    assert manifest.statistics["splits"]["eval"]["without_answer"] == 1


CONTEXT = "né 서울 xy"
PIECES = [(0, 1), (1, 3), (4, 7), (7, 10), (11, 13)]


def window(first, last, first_length=4):
    starts, ends = np.array(PIECES[first:last]).T
    return {"starts": starts, "ends": ends, "first_length": first_length}


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_labels_are_those_of_a_search(size):
    """Every substring as the answer, in windows of every size."""
    windows = [window(at, at + size) for at in range(len(PIECES) - size + 1)]
    for start, end in itertools.combinations(range(len(CONTEXT) + 1), 2):
        begin, finish = len(CONTEXT[:start].encode()), len(CONTEXT[:end].encode())
        held = [at for at, (a, b) in enumerate(PIECES) if a < finish and b > begin]
        places, counts = label_windows(CONTEXT, [(CONTEXT[start:end], start)], windows)
        expected = [
            (4 + held[0] - at, 4 + held[-1] - at)
            if held and at <= held[0] and held[-1] < at + size
            else (0, 0)
            for at in range(len(windows))
        ]
        if not held:
            assert counts == {"answers_without_pieces": 1}
        elif held[-1] - held[0] < size:
            exact = (PIECES[held[0]][0], PIECES[held[-1]][1]) == (begin, finish)
            assert counts == {"answers_within_pieces": int(not exact), "answers_in_no_window": 0}
        else:
            assert counts["answers_in_no_window"] == 1
        assert places == expected


def test_without_an_answer_every_label_is_the_first_token():
    assert label_windows(CONTEXT, [], [window(0, 5)]) == ([(0, 0)], {})


def test_a_split_without_any_answer_is_refused(tmp_path):
    train = file(tmp_path / "train.json", *many(60))
    test = file(tmp_path / "test.json", ("q", "Which?", "No one knows that.", []))
    settings = {**SIZES, "vocabulary_size": 90}
    message = (
        "The preparation did not finish: none of the 1 questions of the test split has an answer. "
        "Give questions with answers."
    )
    with pytest.raises(PrepareError, match=exactly(message)):
        prepare_question_answering(tmp_path / "out", train, None, test, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"input_format": "tsv"},
            "`input_format` must be one of squad. Received: input_format='tsv'",
        ),
        (
            {"max_question_length": 37},
            "`max_length` must be at least 41, to hold a question of `max_question_length`=37 "
            "pieces, 3 specials and a piece of the context. Received: max_length=40",
        ),
        ({"stride": 0}, "`stride` must be a whole number, at least 1. Received: stride=0"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(settings, message, train, tmp_path):
    with pytest.raises(ValueError, match=exactly(message)):
        prepare_question_answering(tmp_path / "out", train, **{**SIZES, **settings})
    assert not (tmp_path / "out").exists()
