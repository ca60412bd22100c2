"""The Transformer of PyTorch's own layers: training; with `--compile` under `torch.compile`."""

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import transformer_workload as workload
from benchmarks.peers.pytorch_weights import assign, embedding
from benchmarks.peers.translation_pytorch import training
from benchmarks.timing import Case, main
from benchmarks.translation_workload import TARGET

SIZES = {
    "d_model": workload.UNITS,
    "nhead": workload.HEADS,
    "dim_feedforward": workload.HIDDEN,
    "dropout": 0.0,
    "layer_norm_eps": workload.NORM_EPSILON,
    "batch_first": True,
}


def cases():
    """Training."""
    torch.set_num_threads(2)
    yield Case("transformer", "training step", steps)


def steps():
    """Training as asked for, compiled or not."""
    model = Transformer()
    return training(model, torch.compile(model) if "--compile" in sys.argv else model)


class Transformer(nn.Module):
    """Encoder, decoder, and a table that both read and that scores the next token.

    `nn.Transformer` itself norms the outputs of post-norm stacks once more; its stacks need not.
    """

    def __init__(self):
        super().__init__()
        weights = workload.weights()
        layers = nn.TransformerEncoderLayer(**SIZES), nn.TransformerDecoderLayer(**SIZES)
        self.table = embedding(weights["table"])
        self.encoder = nn.TransformerEncoder(
            layers[0], workload.LAYERS, enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(layers[1], workload.LAYERS)
        self.register_buffer("positions", torch.tensor(workload.sines()))
        self.register_buffer("ahead", nn.Transformer.generate_square_subsequent_mask(TARGET))
        for stack in ("encoder", "decoder"):
            for at, layer in enumerate(getattr(self, stack).layers):
                _assign(layer, {key[2]: weights[key] for key in weights if key[:2] == (stack, at)})

    def vectors(self, tokens):
        """What a stack reads, `(batch, time, units)`."""
        return math.sqrt(workload.UNITS) * self.table(tokens) + self.positions[: tokens.shape[1]]

    def forward(self, source, target):
        """The mean loss of a token."""
        memory = self.encoder(self.vectors(source))
        vectors = self.vectors(target[:, :-1])
        states = self.decoder(vectors, memory, tgt_mask=self.ahead, tgt_is_causal=True)
        logits = F.linear(states, self.table.weight)
        return F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())


def _assign(layer, weights):
    attention = layer.self_attn
    assign(attention.in_proj_weight, attention.in_proj_bias, *weights["self"])
    assign(*_of(attention.out_proj), *weights["self output"])
    if "source query" in weights:
        attention = layer.multihead_attn
        units = workload.UNITS
        parts = attention.in_proj_weight, attention.in_proj_bias
        assign(*(part[:units] for part in parts), *weights["source query"])
        assign(*(part[units:] for part in parts), *weights["source memory"])
        assign(*_of(attention.out_proj), *weights["source output"])
    assign(*_of(layer.linear1), *weights["hidden"])
    assign(*_of(layer.linear2), *weights["output"])
    for at in range(len(weights)):
        if f"norm {at}" in weights:
            assign(*_of(getattr(layer, f"norm{at + 1}")), *weights[f"norm {at}"])


def _of(layer):
    return layer.weight, layer.bias


if __name__ == "__main__":
    main(cases(), ["torch"])
