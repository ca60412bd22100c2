import numpy as np
import pytest

from benchmarks import tagging_epoch
from seqnlp.records import read_sentences

SMALL = ("--char_encoder=lstm", "--char_encoder_units=3", "--num_layers=2", "--units=4")


@pytest.fixture
def written(prepared, monkeypatch):
    monkeypatch.setattr(tagging_epoch, "OPTIONS", SMALL)
    tagging_epoch.write(prepared)
    return prepared


def test_the_peer_gets_every_sentence_in_order(written):
    run = tagging_epoch.Run(written)
    characters = run.names.characters
    with np.load(written / "sentences.npz") as arrays:
        for split in ("train", "eval"):
            flat = {name: iter(arrays[f"{split} {name}"]) for name in ("tags", "characters")}
            sizes = iter(arrays[f"{split} word_lengths"])
            sentences = list(read_sentences(str(written / "examples"), split))
            assert arrays[f"{split} lengths"].tolist() == [len(words) for words, _ in sentences]
            for words, tags in sentences:
                assert [run.names.tags[next(flat["tags"])] for _ in tags] == tags
                for word in words:
                    ids = [next(flat["characters"]) for _ in range(next(sizes))]
                    known = {i: c for i, c in zip(ids, word, strict=False) if i > 1}
                    assert len(ids) == min(len(word), 20)
                    assert all(characters[i] == c for i, c in known.items())


def test_words_are_forgotten_at_the_pipelines_rates(written):
    with np.load(written / "sentences.npz") as arrays:
        counts = np.bincount(arrays["train words"])
        rates = arrays["forget_rates"]
    seen = np.flatnonzero(counts[1:]) + 1
    np.testing.assert_allclose(rates[seen], 1 / (1 + counts[seen]), rtol=1e-6)
    assert rates[0] == 0


def test_an_epoch_starts_from_the_written_weights_and_trains(written):
    work = tagging_epoch.epoch(written)
    before = work.results(None)["loss"]
    again = tagging_epoch.epoch(written)
    assert again.results(None)["loss"] == before
    work.call()
    with np.load(written / "weights.npz") as weights:
        names = {name.partition(" ")[0] for name in weights}
        assert len(weights.files) == 1 + 1 + 6 + 12 + 2 + 3
    assert names == {"words", "characters", "spelling", "encoder", "dense", "crf"}
    assert before > 1.0
