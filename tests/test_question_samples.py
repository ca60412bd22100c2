"""Generated passages and questions about them."""

import json

import pytest

from seqnlp.samples import passages, write_questions
from seqnlp.samples.questions import QUESTION_SIZES
from tests.messages import exactly


@pytest.fixture(scope="module")
def corpus():
    return {split: passages(split, unanswerable=0.25) for split in QUESTION_SIZES}


def test_an_answer_stands_once_in_its_passage_and_where_it_says(corpus):
    for found in corpus.values():
        for passage in found:
            for question, answer, start in passage.questions:
                assert question.endswith("?")
                if answer is not None:
                    assert passage.context.count(answer) == 1
                    assert passage.context[start:].startswith(answer)


def test_splits_share_no_passage(corpus):
    texts = {split: {passage.context for passage in found} for split, found in corpus.items()}
    assert {split: len(found) for split, found in texts.items()} == QUESTION_SIZES
    assert len(set().union(*texts.values())) == sum(QUESTION_SIZES.values())


def test_a_share_of_the_questions_has_no_answer(corpus):
    asked = [x.answer is None for passage in corpus["train"] for x in passage.questions]
    assert 0.22 < sum(asked) / len(asked) < 0.28


def test_the_same_seed_gives_the_same_passages():
    assert passages("eval", 1) == passages("eval", 1)
    assert passages("eval", 1) != passages("eval", 2)


def test_files_are_in_the_form_of_squad(tmp_path):
    paths = write_questions(tmp_path / "new", limit=3, unanswerable=0.5)
    assert set(paths) == set(QUESTION_SIZES)
    document = json.loads(paths["test"].read_text(encoding="utf-8"))
    (article,) = document["data"]
    assert len(article["paragraphs"]) == 3
    for paragraph in article["paragraphs"]:
        for asked in paragraph["qas"]:
            assert bool(asked["answers"]) != asked.get("is_impossible", False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "`split` must be one of train, eval, test. Received: split='dev'"),
        (
            {"unanswerable": 2},
            "`unanswerable` must be a share from 0 to 1. Received: unanswerable=2",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=exactly(message)):
        passages(**arguments)
