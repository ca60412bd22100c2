"""Weights as Keras keeps them, in PyTorch's layers."""

import numpy as np
import torch
from torch import nn


def lstm(kernel, recurrent, bias, *backward):
    """A bidirectional `nn.LSTM` of one layer from six arrays, three of each direction."""
    layer = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True, bidirectional=True)
    _assign_lstm(layer, "", (kernel, recurrent, bias))
    _assign_lstm(layer, "_reverse", backward)
    return layer


@torch.no_grad()
def _assign_lstm(layer, suffix, arrays):
    """PyTorch has two biases a gate where one is enough: the second stays at zero."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
    for name, array in zip(names, arrays, strict=True):
        getattr(layer, name + suffix).copy_(torch.tensor(array.T))
    getattr(layer, f"bias_hh_l0{suffix}").zero_().requires_grad_(False)


class TwoWays(nn.Module):
    """The same layer for padded batches: oneDNN runs it, which packed sequences do not reach.

    Each direction is an `nn.LSTM` of its own, and the backward one reads every row reversed within
    its length, so that padding stays behind the tokens: results are those of packed sequences.
    """

    def __init__(self, kernel, recurrent, bias, *backward):
        super().__init__()
        self.forward_lstm = _one_way(kernel, recurrent, bias)
        self.backward_lstm = _one_way(*backward)

    def forward(self, vectors, lengths):
        """`(batch, time, 2 * units)` of `vectors (batch, time, features)`."""
        steps = torch.arange(vectors.shape[1])
        back = lengths[:, None] - 1 - steps
        order = torch.where(back >= 0, back, steps)[..., None]  # its own inverse
        flipped = vectors.gather(1, order.expand_as(vectors))
        states, _ = self.backward_lstm(flipped)
        states = states.gather(1, order.expand_as(states))
        return torch.cat([self.forward_lstm(vectors)[0], states], dim=-1)


def _one_way(kernel, recurrent, bias):
    layer = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
    _assign_lstm(layer, "", (kernel, recurrent, bias))
    return layer


@torch.no_grad()
def gru(kernel, recurrent, bias, cell=False):
    """An `nn.GRU` of one layer and direction, or an `nn.GRUCell`.

    Keras has the update gate before the reset gate, PyTorch behind it.
    """
    make, suffix = (nn.GRUCell, "") if cell else (nn.GRU, "_l0")
    options = {} if cell else {"batch_first": True}
    layer = make(kernel.shape[0], recurrent.shape[0], **options)
    arrays = {"weight_ih": kernel, "weight_hh": recurrent, "bias_ih": bias[0], "bias_hh": bias[1]}
    for name, array in arrays.items():
        update, reset, candidate = np.split(array, 3, axis=-1)
        array = np.concatenate([reset, update, candidate], axis=-1)
        getattr(layer, name + suffix).copy_(torch.tensor(array.T))
    return layer


@torch.no_grad()
def linear(kernel, bias=None):
    """An `nn.Linear`."""
    layer = nn.Linear(*kernel.shape, bias=bias is not None)
    layer.weight.copy_(torch.tensor(kernel.T))
    if bias is not None:
        layer.bias.copy_(torch.tensor(bias))
    return layer


@torch.no_grad()
def assign(weight, bias, kernel, offset):
    """Gives a dense layer `kernel (from, to)`, or a norm its scale, and the bias of either."""
    weight.copy_(torch.tensor(kernel.T))
    bias.copy_(torch.tensor(offset))


def embedding(vectors):
    """An `nn.Embedding` that is trained."""
    return nn.Embedding.from_pretrained(torch.tensor(vectors), freeze=False)


@torch.no_grad()
def assign_crf(crf, transitions, start, end):
    """Gives a pytorch-crf layer its weights."""
    crf.transitions.copy_(torch.tensor(transitions))
    crf.start_transitions.copy_(torch.tensor(start))
    crf.end_transitions.copy_(torch.tensor(end))


def trained(model):
    """The parameters that an optimizer changes."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
