"""Questions and contexts as windows, against a loop over pieces."""

import itertools

import pytest
import tensorflow as tf

from seqnlp.text import QuestionText
from tests.messages import exactly

LETTERS = [chr(97 + at) for at in range(26)]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, "?"]


def text(**settings):
    return QuestionText(TOKENS, **settings)


def by_hand(question, context, max_length, max_question_length, stride):
    """The windows of one question, with the bytes of their pieces; one letter is one piece."""
    ids = {token: at for at, token in enumerate(TOKENS)}
    asked = [ids[word] for word in question.split()][:max_question_length]
    pieces = [(ids[letter], at) for at, letter in enumerate(context) if letter != " "]
    room = max_length - 3 - len(asked)
    first, found = 0, []
    while True:
        part = pieces[first : first + room]
        found.append(([2, *asked, 3, *(piece for piece, _ in part), 3], [at for _, at in part]))
        if first + room >= len(pieces):
            return found
        first += min(room, stride)


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("max_length", [8, 9, 12])
def test_windows_are_those_of_a_loop(max_length, stride):
    sizes = {"max_length": max_length, "max_question_length": 3, "stride": stride}
    numbers = itertools.product(range(5), range(12))
    pairs = [(" ".join(LETTERS[:q]), " ".join(LETTERS[26 - c :])) for q, c in numbers]
    questions, contexts = zip(*pairs, strict=True)
    found = text(**sizes).windows(tf.constant(questions), tf.constant(contexts))
    expected = [window for pair in pairs for window in by_hand(*pair, **sizes)]
    assert found["token_ids"].to_list() == [ids for ids, _ in expected]
    assert found["starts"].to_list() == [starts for _, starts in expected]
    assert found["ends"].to_list() == [[at + 1 for at in starts] for _, starts in expected]
    rows = [row for row, pair in enumerate(pairs) for _ in by_hand(*pair, **sizes)]
    assert found["rows"].numpy().tolist() == rows
    assert found["truncated"].numpy().tolist() == [len(q.split()) > 3 for q in questions]


def test_the_context_is_the_second_segment():
    found = text(max_length=10, max_question_length=3).windows(["a b ?"], ["c d"])
    assert found["segment_ids"].to_list() == [[0, 0, 0, 0, 0, 1, 1, 1]]
    assert found["first_length"].numpy().tolist() == [5]


def test_a_context_without_pieces_has_one_window():
    found = text().windows(["a"], [" "])
    assert found["token_ids"].to_list() == [[2, 5, 3, 3]]
    assert found["starts"].to_list() == [[]]


def test_no_questions_have_no_windows():
    found = text().windows(tf.constant([], tf.string), tf.constant([], tf.string))
    assert found["token_ids"].to_list() == []
    assert found["rows"].shape == (0,)


def test_a_folder_keeps_it(tmp_path):
    made = text(lowercase=True, max_length=20, max_question_length=7, stride=3)
    made.save(str(tmp_path))
    assert QuestionText.load(str(tmp_path)).get_config() == made.get_config()


def test_a_window_without_room_for_a_context_is_refused():
    with pytest.raises(
        ValueError,
        match=exactly(
            "`max_length` must be at least 11, to hold a question of `max_question_length`=7 "
            "pieces, 3 specials and a piece of the context. Received: max_length=10"
        ),
    ):
        text(max_length=10, max_question_length=7)


@pytest.mark.parametrize("name", ["max_length", "max_question_length", "stride"])
def test_a_size_below_one_is_refused(name):
    with pytest.raises(
        ValueError,
        match=exactly(f"`{name}` must be a whole number, at least 1. Received: {name}=0"),
    ):
        text(**{name: 0})


def test_settings_of_something_else_are_refused(tmp_path):
    text().save(str(tmp_path))
    (tmp_path / "questions.json").write_text("{}")
    with pytest.raises(
        ValueError,
        match=exactly(
            f"{tmp_path / 'questions.json'}: expected the keys ['max_question_length', 'stride']. "
            "Received: []"
        ),
    ):
        QuestionText.load(str(tmp_path))
