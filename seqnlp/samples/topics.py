"""Generated documents, each about one thing that travellers ask for."""

import pathlib
import random

from seqnlp.samples.travel_requests import travel

_CORPORA = {"train": 4, "eval": 1, "test": 1}  # of requests that a split is made of
_SENTENCES = range(6, 13)  # of a document


def documents(language="en", split="train", seed=0):
    """Generates one split of a corpus of documents.

    The sentences of a document are booking requests of one intent, so that whether a sentence is
    of the same document can be told from what it asks for.

    Args:
        language: `"en"` or `"ko"`.
        split: `"train"`, `"eval"` or `"test"`; they share no sentence.
        seed: Integer; the same seed gives the same documents in every process.

    Returns:
        List of documents, lists of `str`.

    Raises:
        ValueError: If `language` or `split` has no such name.
    """
    if language not in ("en", "ko"):
        raise ValueError(f"`language` must be en or ko. Received: language={language!r}")
    first = seed * max(_CORPORA.values())
    requests = {}
    for at in range(first, first + _CORPORA.get(split, 1)):
        for request in travel(split, at):
            if request.language == language:
                requests.setdefault(request.intent, []).append(request.text)
    random_ = random.Random(f"documents {language} {split} {seed}")
    found = [document for texts in requests.values() for document in _cut(texts, random_)]
    random_.shuffle(found)
    return found


def _cut(texts, random_):
    """Yields the texts in parts of some sentences."""
    while texts:
        size = random_.choice(_SENTENCES)
        yield texts[:size]
        texts = texts[size:]


def write_documents(folder, language="en", seed=0):
    """Writes all splits as plain text: a sentence a line, documents parted by blank lines.

    Args:
        folder: Folder to write to; made if missing.
        language: As of `documents`.
        seed: As of `documents`.

    Returns:
        Dict from split to the path of its file.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split in _CORPORA:
        lines = ["".join(f"{line}\n" for line in x) for x in documents(language, split, seed)]
        written[split] = folder / f"{split}.txt"
        written[split].write_text("\n".join(lines), encoding="utf-8")
    return written
