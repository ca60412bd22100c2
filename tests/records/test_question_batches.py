"""Windows of questions as batches, in both formats, and back as questions."""

import numpy as np
import pytest

from seqnlp.preprocessing import prepare_question_answering
from seqnlp.records import OUTPUT_FORMATS, question_batches, read_manifest, read_questions
from seqnlp.samples import write_questions
from seqnlp.text import QuestionText
from tests.messages import exactly

SIZES = {"max_length": 40, "max_question_length": 12, "stride": 9, "vocabulary_size": 400}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Dict from format to a prepared folder."""
    folder = tmp_path_factory.mktemp("questions")
    paths = write_questions(folder, limit=40, unanswerable=0.2)
    files = [str(paths[split]) for split in ("train", "eval", "test")]
    for name in OUTPUT_FORMATS:
        prepare_question_answering(folder / name, *files, output_format=name, **SIZES)
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


def arrays(batch):
    inputs, labels, weights = batch
    parts = {**inputs, **labels, "weight": weights["start"]}
    return {name: np.asarray(value) for name, value in parts.items()}


def rows(batches):
    """`(ids, segments, start, end)` of each real window."""
    for batch in map(arrays, batches):
        for row in np.flatnonzero(batch["weight"]):
            real = batch["token_ids"][row] != 0
            ids, segments = (batch[name][row][real] for name in ("token_ids", "segment_ids"))
            yield tuple(ids), tuple(segments), batch["start"][row], batch["end"][row]


def test_both_formats_give_equal_batches(folders):
    for seed in (None, 3):
        batches = [list(question_batches(f, "train", 8, seed=seed)) for f in folders.values()]
        assert len(batches[0]) == len(batches[1])
        for one, other in zip(*batches, strict=True):
            one, other = arrays(one), arrays(other)
            for name, values in one.items():
                np.testing.assert_array_equal(values, other[name])


def test_windows_without_a_seed_are_those_of_the_questions_in_order(folders):
    folder = folders["parquet"]
    text = QuestionText.load(folder)
    questions = list(read_questions(folder, "test"))
    made = text.windows(*zip(*[(q.question, q.context) for q in questions], strict=True))
    found = list(rows(question_batches(folder, "test", 8)))
    assert [ids for ids, *_ in found] == [tuple(ids) for ids in made["token_ids"].to_list()]
    assert [x for _, x, *_ in found] == [tuple(ids) for ids in made["segment_ids"].to_list()]
    windows = [window for question in questions for window in question.windows]
    assert [w.starts.tolist() for w in windows] == made["starts"].to_list()
    assert [w.ends.tolist() for w in windows] == made["ends"].to_list()
    assert [w.first_length for w in windows] == made["first_length"].numpy().tolist()
    assert len(windows) > len(questions)


def test_labels_are_the_places_of_the_answer_or_none(folders):
    folder = folders["tfrecord"]
    found, whole = rows(question_batches(folder, "test", 8)), 0
    for question in read_questions(folder, "test"):
        places = set()
        for window in question.windows:
            _, _, start, end = next(found)
            assert (start == 0) == (end == 0)
            if start:
                first, last = start - window.first_length, end - window.first_length
                bytes_ = slice(window.starts[first], window.ends[last])
                places.add(question.context.encode()[bytes_].decode())
        assert places <= set(question.answers)
        whole += bool(places)
    assert whole > 100


def test_a_seed_shuffles_whole_epochs(folders):
    batches = [
        list(rows(question_batches(folders["parquet"], "train", 8, seed=seed, first_epoch=epoch)))
        for seed, epoch in ((0, 0), (0, 0), (0, 1))
    ]
    assert batches[0] == batches[1]
    assert batches[0] != batches[2]
    assert sorted(batches[0]) == sorted(batches[2])


def test_shapes_are_few_and_rows_of_padding_weigh_nothing(folders):
    batches = question_batches(folders["parquet"], "train", 8, seed=0)
    shapes = {arrays(batch)["token_ids"].shape for batch in batches}
    assert {size for size, _ in shapes} == {8}
    assert len(shapes) <= 4
    weights = np.concatenate([arrays(batch)["weight"] for batch in batches])
    assert weights.sum() == read_manifest(folders["parquet"]).records("train")
    assert len(list(batches)) == len(batches)


def test_questions_keep_their_texts(folders):
    for folder in folders.values():
        questions = list(read_questions(folder, "eval"))
        assert len(questions) == 160
        for question in questions:
            assert all(answer in question.context for answer in question.answers)
        assert 10 < sum(not question.answers for question in questions) < 60
        assert [q.id for q in questions] == [
            f"eval-{at}-{n}" for at in range(40) for n in range(4)
        ]


def test_lengths_that_hold_no_window_are_refused(folders):
    message = (
        "`lengths` must hold positive lengths, the last at least 40, the longest window of train. "
        "Received: lengths=[10]"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        question_batches(folders["parquet"], "train", 8, lengths=[10])


def test_examples_of_another_task_are_refused(folders):
    from seqnlp.records import pretraining_batches

    with pytest.raises(ValueError, match="examples for pretraining, and these are for question_"):
        pretraining_batches(folders["parquet"], "train")
