"""The tagger of `benchmarks.tagging_epoch` in PyTorch: the same examples, model and optimizer.

Sequences are packed for all LSTMs; with `--padded` those over words run on padded batches, by
oneDNN. Sentences of about the same length make a batch. The CRF is not compiled: `torch.compile`
unrolls it, a minute for every length.
"""

import argparse
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchcrf import CRF

from benchmarks.peers.pytorch_weights import TwoWays, assign_crf, linear, lstm, trained
from benchmarks.timing import Case, Work, main

BATCH, POOL, UNKNOWN = 32, 64, 1
DROPOUT, LEARNING_RATE, EPOCHS, CLIP = 0.33, 2e-3, 12, 5.0
CHECKED = 10  # batches of the dev split whose loss is compared


class Sentences:
    """Sentences of a split as flat arrays, and padded batches of them."""

    def __init__(self, arrays, split):
        names = ("lengths", "words", "tags", "word_lengths", "characters")
        fields = (arrays[f"{split} {name}"] for name in names)
        self.lengths, self.words, self.tags, self.word_lengths, self.characters = fields
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.word_starts = np.cumsum(self.word_lengths) - self.word_lengths

    def batch(self, rows, forget=None):
        """Tensors of some sentences; `forget(words)` may replace words.

        Returns:
            `words`, `tags` `(batch, time)`, `mask` `(batch, time)`, `lengths (batch,)`, and of
            the real words `characters (words, chars)` and their `word_lengths (words,)`.
        """
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, None]
        tokens = _ranges(self.starts[rows], lengths)
        words, tags = np.zeros(mask.shape, "int64"), np.zeros(mask.shape, "int64")
        words[mask], tags[mask] = self.words[tokens], self.tags[tokens]
        words = words if forget is None else forget(words)
        word_lengths = self.word_lengths[tokens]
        real = np.arange(word_lengths.max()) < word_lengths[:, None]
        characters = np.zeros(real.shape, "int64")
        characters[real] = self.characters[_ranges(self.word_starts[tokens], word_lengths)]
        arrays = (words, tags, mask, lengths, characters, word_lengths)
        return [torch.from_numpy(array) for array in arrays]

    def shuffled(self, random):
        """Rows of each batch of an epoch: pools sorted by length, then batches shuffled."""
        order = random.permutation(len(self.lengths))
        for start in range(0, len(order), POOL * BATCH):
            pool = order[start : start + POOL * BATCH]
            noise = random.uniform(0, 1.5, size=len(pool))
            pool = pool[np.argsort(self.lengths[pool] + noise)]
            batches = [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
            for index in random.permutation(len(batches)):
                yield batches[index]


def _ranges(starts, lengths):
    """Indices `starts[i] .. starts[i] + lengths[i] - 1` of all i, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)


class Tagger(nn.Module):
    """Words and spelled characters, two BiLSTM layers, dense, CRF."""

    def __init__(self, weights, padded=False):
        super().__init__()
        self.padded = padded
        (words,), (characters,) = weights["words"], weights["characters"]
        self.words = nn.Embedding.from_pretrained(torch.tensor(words), freeze=False)
        self.characters = nn.Embedding.from_pretrained(torch.tensor(characters), freeze=False)
        self.spelling = lstm(*weights["spelling"])
        layer = TwoWays if padded else lstm
        both = weights["encoder"][:6], weights["encoder"][6:]
        self.encoder = nn.ModuleList([layer(*arrays) for arrays in both])
        self.dense = linear(*weights["dense"])
        self.crf = CRF(self.dense.out_features, batch_first=True)
        assign_crf(self.crf, *weights["crf"])

    def loss(self, words, tags, mask, lengths, characters, word_lengths):
        """Negative log likelihood, in nats a token."""
        vectors = self.characters(characters)
        _, (states, _) = self.spelling(_packed(vectors, word_lengths))
        spelled = vectors.new_zeros(*words.shape, 2 * states.shape[-1])
        spelled[mask] = torch.cat([states[0], states[1]], dim=-1)
        states = torch.cat([self.words(words), spelled], dim=-1)
        for layer in self.encoder:
            states = states * F.dropout(torch.ones_like(states[:, :1]), DROPOUT, self.training)
            if self.padded:
                states = layer(states, lengths)
            else:
                outputs, _ = layer(_packed(states, lengths))
                states, _ = pad_packed_sequence(outputs, batch_first=True)
        potentials = self.dense(F.dropout(states, DROPOUT, self.training))
        return -self.crf(potentials, tags, mask, reduction="token_mean")


def _packed(vectors, lengths):
    return pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)


def epoch(output, padded=False):
    """One epoch a call, after the loss on the dev split has been taken from the first weights."""
    with np.load(output / "sentences.npz") as file:
        arrays = dict(file)
    weights = {}
    with np.load(output / "weights.npz") as file:
        for name, array in file.items():
            weights.setdefault(name.partition(" ")[0], []).append(array)
    model = Tagger(weights, padded)
    loss = _held_out_loss(model.eval(), Sentences(arrays, "eval"))
    train = Sentences(arrays, "train")
    steps = -(-len(train.lengths) // BATCH)
    optimizer = torch.optim.Adam(trained(model), LEARNING_RATE, eps=1e-7, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    random, rates = np.random.default_rng(0), arrays["forget_rates"]

    def forget(words):
        return np.where(random.random(words.shape) < rates[words], UNKNOWN, words)

    def call():
        model.train()
        for rows in train.shuffled(random):
            optimizer.zero_grad()
            model.loss(*train.batch(rows, forget)).backward()
            nn.utils.clip_grad_norm_(trained(model), CLIP)
            optimizer.step()
            schedule.step()

    return Work(call, lambda _: {"loss": np.array(loss)}, unit="s", long=True)


@torch.inference_mode()
def _held_out_loss(model, sentences):
    """As Keras averages: the mean of the batches' losses, all of the same size."""
    starts = np.arange(0, len(sentences.lengths), BATCH)[:CHECKED]
    rows = [np.arange(start, min(start + BATCH, len(sentences.lengths))) for start in starts]
    losses = [model.loss(*sentences.batch(part)) for part in rows]
    return np.average(losses, weights=[len(part) for part in rows])


def cases(output, padded):
    """The epoch alone."""
    torch.set_num_threads(2)
    yield Case("tagging epoch", "epoch", lambda: epoch(output, padded))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--padded", action="store_true")
    options, _ = parser.parse_known_args()
    main(cases(options.output, options.padded), ["pytorch-crf", "torch"])
