"""The sample corpus of pretraining: documents of one intent, told apart by split."""

import hashlib
import pathlib
import subprocess
import sys

import pytest

from seqnlp.samples import travel, write_documents
from seqnlp.samples.topics import documents

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPLITS = ("train", "eval", "test")


@pytest.fixture(scope="module")
def corpus():
    return {split: documents("en", split) for split in SPLITS}


def digest(found):
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_the_same_seed_gives_the_same_documents_in_every_process(corpus):
    program = (
        "import hashlib\n"
        "from seqnlp.samples.topics import documents\n"
        "print(hashlib.sha256(repr(documents('en', 'eval')).encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == digest(corpus["eval"]), done.stderr


def test_another_seed_gives_other_documents(corpus):
    assert documents("en", "eval", seed=1) != corpus["eval"]


def test_no_sentence_is_in_two_splits(corpus):
    sentences = {split: {x for found in corpus[split] for x in found} for split in SPLITS}
    assert not sentences["train"] & sentences["eval"]
    assert not sentences["train"] & sentences["test"]
    assert not sentences["eval"] & sentences["test"]


@pytest.mark.parametrize("split", SPLITS)
def test_a_document_has_one_intent(corpus, split):
    numbers = range(4) if split == "train" else range(1)
    requests = [request for at in numbers for request in travel(split, at)]
    intents = {request.text: request.intent for request in requests}
    for document in corpus[split]:
        assert len({intents[sentence] for sentence in document}) == 1


def test_every_intent_has_documents_of_twelve_sentences_at_most(corpus):
    for split in SPLITS:
        assert max(map(len, corpus[split])) <= 12
        assert len(corpus[split]) > 50


def test_training_documents_are_of_four_corpora_of_requests(corpus):
    english = [
        request.text
        for at in range(4)
        for request in travel("train", at)
        if request.language == "en"
    ]
    assert sorted(x for document in corpus["train"] for x in document) == sorted(english)


def test_documents_may_be_korean():
    assert all(x >= "가" for document in documents("ko", "eval") for x in map(max, document))


def test_files_part_documents_by_blank_lines(corpus, tmp_path):
    paths = write_documents(tmp_path / "new", "en")
    assert list(paths) == list(SPLITS)
    for split, path in paths.items():
        assert path == tmp_path / "new" / f"{split}.txt"
        text = path.read_text(encoding="utf-8")
        assert [part.splitlines() for part in text.split("\n\n")] == corpus[split]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fr", "train"), "`language` must be en or ko. Received: language='fr'"),
        (("en", "dev"), "`split` must be one of train, eval, test. Received: split='dev'"),
    ],
)
def test_names_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        documents(*arguments)
