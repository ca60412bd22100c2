"""Hugging Face's tokenizers and datasets: pieces, pairs and hidden pieces, written as Parquet."""

import argparse
import itertools
import json
import pathlib
import tempfile
import time

import datasets
import numpy as np
from tokenizers import BertWordPieceTokenizer

from benchmarks import pretraining_data_workload as workload
from benchmarks.pretraining_data import cases
from benchmarks.timing import main

OPTIONS = {"batched": True, "batch_size": 1000, "load_from_cache_file": False}


class Preparation:
    """The three steps, each a function of a batch of `datasets`."""

    def __init__(self, vocabulary):
        self.tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
        ids = map(self.tokenizer.token_to_id, ("[CLS]", "[SEP]", "[MASK]"))
        self.begin, self.end, self.mask = ids
        self.random = np.random.default_rng(0)

    def tokenize(self, batch):
        """Documents to the pieces of their sentences."""
        documents = [text.split("\n") for text in batch["text"]]
        flat = [sentence for document in documents for sentence in document]
        encode = self.tokenizer._tokenizer.encode_batch_fast
        found = iter(encode(flat, add_special_tokens=False))
        return {"sentences": [[next(found).ids for _ in document] for document in documents]}

    def pair(self, batch):
        """Pieces of sentences to pairs of spans, as the paper describes them."""
        rows = {"token_ids": [], "first_length": [], "is_next": []}
        for at, document in enumerate(batch["sentences"]):
            for row in self._pairs(batch["sentences"], at, document):
                for name, value in zip(rows, row, strict=True):
                    rows[name].append(value)
        return rows

    def _pairs(self, documents, at, document):
        random, most = self.random, workload.LENGTH - 3
        pile, length, wanted = [], 0, most
        for number, sentence in enumerate(document):
            pile.append(sentence)
            length += len(sentence)
            if number + 1 < len(document) and length < wanted:
                continue
            parted = random.integers(1, len(pile)) if len(pile) > 1 else 1
            first, second = _joined(pile[:parted]), _joined(pile[parted:])
            is_next = bool(second) and random.random() < 0.5
            if not is_next:
                other = documents[(at + random.integers(1, len(documents))) % len(documents)]
                second = _joined(other[random.integers(len(other)) :])[:wanted]
            while len(first) + len(second) > most:
                (first if len(first) > len(second) else second).pop()
            ids = [self.begin, *first, self.end, *second, self.end]
            yield ids, len(first) + 2, is_next
            pile, length, wanted = [], 0, most
            if random.random() < workload.SHORT:
                wanted = random.integers(2, most)

    def hide(self, batch):
        """Hides pieces of each row."""
        rows, size = (
            {"token_ids": [], "positions": [], "labels": []},
            self.tokenizer.get_vocab_size(),
        )
        for ids in batch["token_ids"]:
            ids = np.array(ids)
            words = np.flatnonzero((ids != self.begin) & (ids != self.end))
            number = min(workload.PREDICTIONS, max(1, round(len(words) * workload.SHARE)))
            places = np.sort(self.random.permutation(words)[:number])
            labels, chance = ids[places], self.random.random(number)
            others = self.random.integers(size, size=number)
            kept = np.where(chance < 0.9, labels, others)
            ids[places] = np.where(chance < 0.8, self.mask, kept)
            for name, row in zip(rows, (ids, places, labels), strict=True):
                rows[name].append(row)
        return rows


def _joined(sentences):
    return list(itertools.chain.from_iterable(sentences))


def prepare(folder, number):
    """Prepares the first files and prints the seconds and how many pairs there are."""
    datasets.disable_progress_bars()
    started = time.perf_counter()
    steps = Preparation(str(folder / "vocab.txt"))
    texts = [path.read_text(encoding="utf-8") for path in workload.files(folder, number)]
    documents = [text.strip() for whole in texts for text in whole.split("\n\n") if text.strip()]
    with tempfile.TemporaryDirectory() as output:
        data = datasets.Dataset.from_dict({"text": documents})
        data = data.map(steps.tokenize, remove_columns="text", **OPTIONS)
        data = data.map(steps.pair, remove_columns="sentences", **OPTIONS)
        data = data.map(steps.hide, **OPTIONS)
        data.to_parquet(f"{output}/examples.parquet")
    print(json.dumps({"seconds": time.perf_counter() - started, "pairs": len(data)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--files", type=int)
    options, _ = parser.parse_known_args()
    if options.files:
        prepare(options.corpus, options.files)
    else:
        own = cases("benchmarks.peers.pretraining_data_datasets", options.corpus, ())
        main(own, ("datasets", "tokenizers"))
