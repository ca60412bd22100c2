"""The tagger in PyTorch with pytorch-crf; with `--compile` the CRF under `torch.compile`.

Its LSTM is oneDNN's and its optimizer fused either way.
"""

import sys

import numpy as np
import torch
from torch import nn
from torchcrf import CRF

from benchmarks import tagger_workload as workload
from benchmarks.peers.pytorch_weights import assign_crf, linear, lstm, trained
from benchmarks.timing import Case, Work, main

COMPILE = "--compile" in sys.argv


def cases():
    """Training, and in eager mode inference: decoding is Python, which does not compile."""
    torch.set_num_threads(2)
    yield Case("tagger", "training step", training)
    if not COMPILE:
        yield Case("tagger", "inference", inference)


class Tagger(nn.Module):
    """Embedding, BiLSTM, dense, CRF, with the workload's weights."""

    def __init__(self):
        super().__init__()
        weights = workload.weights()
        embedding = torch.tensor(weights["embedding"])
        self.embedding = nn.Embedding.from_pretrained(embedding, freeze=False)
        self.lstm = lstm(*(weights[name] for name in workload.LSTM_WEIGHTS))
        self.dense = linear(*(weights[name] for name in workload.DENSE_WEIGHTS))
        self.crf = CRF(workload.TAGS, batch_first=True)
        assign_crf(self.crf, *(weights[name] for name in workload.CRF_WEIGHTS))

    def potentials(self, words):
        """Scores of the tags, `(batch, time, tags)`."""
        return self.dense(self.lstm(self.embedding(words))[0])

    def loss(self, words, tags):
        """Negative log likelihood, in nats a token."""
        mask = torch.ones_like(words, dtype=torch.bool)
        return -self.crf(self.potentials(words), tags, mask, reduction="token_mean")


def _batches():
    words, tags = (torch.tensor(array, dtype=torch.long) for array in workload.sentences())
    return words.split(workload.BATCH), tags.split(workload.BATCH)


def training():
    """`STEPS` batches."""
    model = Tagger()
    words, tags = _batches()
    settings = {"eps": workload.EPSILON, "fused": True}
    optimizer = torch.optim.Adam(trained(model), workload.LEARNING_RATE, **settings)
    if COMPILE:
        model.crf.forward = torch.compile(model.crf.forward)

    def call():
        losses = []
        for batch in zip(words, tags, strict=True):
            optimizer.zero_grad()
            loss = model.loss(*batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    return Work(call, lambda loss: {"loss": loss.numpy()}, items=workload.STEPS)


def inference():
    """Sentences a second, decoded batch by batch."""
    model = Tagger().eval()
    words, _ = _batches()
    mask = torch.ones_like(words[0], dtype=torch.bool)

    @torch.inference_mode()
    def call():
        potentials = [model.potentials(batch) for batch in words]
        return potentials, [model.crf.decode(scores, mask) for scores in potentials]

    def results(outputs):
        potentials, tags = (np.concatenate([np.asarray(x) for x in part]) for part in outputs)
        return {"potentials": potentials, "scores": workload.path_scores(potentials, tags)}

    return Work(call, results, items=sum(map(len, words)), unit="sentences/s")


if __name__ == "__main__":
    main(cases(), ["pytorch-crf", "torch"])
