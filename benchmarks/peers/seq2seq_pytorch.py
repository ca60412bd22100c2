"""The recurrent encoder and decoder in PyTorch; with `--compile` its step under `torch.compile`.

A compiled step, not a compiled loop: unrolled over 30 steps, that would compile for minutes.
"""

import sys

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import seq2seq_workload as workload
from benchmarks.peers.pytorch_weights import embedding, gru, linear
from benchmarks.peers.translation_pytorch import sentences, training
from benchmarks.timing import Case, Work, main
from benchmarks.translation_workload import START, TARGET, best

COMPILE = "--compile" in sys.argv


def cases():
    """Training, and both decoders."""
    torch.set_num_threads(2)
    yield Case("seq2seq", "training step", lambda: training(*[model()] * 2))
    yield Case("seq2seq", "greedy", lambda: decoding(model().greedy))
    yield Case("seq2seq", workload.BEAM, lambda: decoding(model().beam_search))


def model():
    """The model, its step compiled if asked to."""
    made = Seq2Seq()
    if COMPILE:
        made.step = torch.compile(made.step)
    return made


class Seq2Seq(nn.Module):
    """GRU encoder, additive attention asked by the state before, GRU decoder."""

    def __init__(self):
        super().__init__()
        weights = workload.weights()
        self.source_embedding = embedding(weights["source embedding"])
        self.target_embedding = embedding(weights["target embedding"])
        self.encoder = gru(*(weights[name] for name in workload.ENCODER_WEIGHTS))
        self.cell = gru(*(weights[name] for name in workload.DECODER_WEIGHTS), cell=True)
        query, key, v = (weights[name] for name in workload.ATTENTION_WEIGHTS)
        self.query, self.key, self.v = linear(query), linear(key), linear(v[:, None])
        self.output = linear(*(weights[name] for name in workload.OUTPUT_WEIGHTS))

    def read(self, source):
        """Values and keys `(batch, source, units)`, and the last state `(batch, units)`."""
        values, last = self.encoder(self.source_embedding(source))
        return values, self.key(values), last[0]

    def step(self, vectors, state, values, keys):
        """The next state of the rows."""
        sums = torch.tanh(keys + self.query(state)[:, None])  # (rows, source, units)
        weights = F.softmax(self.v(sums), dim=1)
        context = torch.bmm(weights.transpose(1, 2), values)[:, 0]
        return self.cell(torch.cat([vectors, context], dim=1), state)

    def forward(self, source, target):
        """The mean loss of a token."""
        values, keys, state = self.read(source)
        states = []
        for vectors in self.target_embedding(target[:, :-1]).unbind(dim=1):
            state = self.step(vectors, state, values, keys)
            states.append(state)
        logits = self.output(torch.stack(states, dim=1))
        return F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())

    def greedy(self, source):
        """Tokens `(batch, TARGET)` and their log probabilities `(batch,)`."""
        values, keys, state = self.read(source)
        token, tokens, total = torch.full((len(source),), START), [], 0
        for _ in range(TARGET):
            state = self.step(self.target_embedding(token), state, values, keys)
            logits = self.output(state)
            largest, token = logits.max(dim=1)
            total = total + largest - logits.logsumexp(dim=1)
            tokens.append(token)
        return torch.stack(tokens, dim=1), total

    def beam_search(self, source):
        """The best hypothesis of each sentence, as `greedy`."""
        width, batch = workload.BEAMS, len(source)
        values, keys, state = (x.repeat_interleave(width, dim=0) for x in self.read(source))
        first = torch.arange(0, batch * width, width)[:, None]  # row of each sentence
        totals = torch.full((batch, width), -1e9).index_fill(1, torch.tensor(0), 0.0)
        token, history = torch.full((batch * width,), START), []
        for _ in range(TARGET):
            state = self.step(self.target_embedding(token), state, values, keys)
            gains = F.log_softmax(self.output(state), dim=1)
            scores = (totals.view(-1, 1) + gains).view(batch, -1)
            totals, places = scores.topk(width)
            parents = (first + places // gains.shape[1]).flatten()
            token, state = (places % gains.shape[1]).flatten(), state[parents]
            history.append((token, parents))
        return self._traced(history, first[:, 0]), totals[:, 0]

    def _traced(self, history, rows):
        tokens = []
        for token, parents in reversed(history):
            tokens.append(token[rows])
            rows = parents[rows]
        return torch.stack(tokens[::-1], dim=1)


def decoding(search):
    """Work of a decoder."""
    source, _ = sentences()
    return Work(torch.inference_mode()(lambda: search(source)), lambda found: best(*found))


if __name__ == "__main__":
    main(cases(), ["torch"])
