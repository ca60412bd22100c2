"""Weights as Keras keeps them, in PyTorch's layers."""

import torch
from torch import nn


@torch.no_grad()
def lstm(kernel, recurrent, bias, *backward):
    """A bidirectional `nn.LSTM` of one layer from six arrays, three of each direction.

    PyTorch has two biases a gate where one is enough: the second stays at zero.
    """
    layer = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True, bidirectional=True)
    for suffix, arrays in (("", (kernel, recurrent, bias)), ("_reverse", backward)):
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        for name, array in zip(names, arrays, strict=True):
            getattr(layer, name + suffix).copy_(torch.tensor(array.T))
        getattr(layer, f"bias_hh_l0{suffix}").zero_().requires_grad_(False)
    return layer


@torch.no_grad()
def linear(kernel, bias):
    """An `nn.Linear`."""
    layer = nn.Linear(*kernel.shape)
    layer.weight.copy_(torch.tensor(kernel.T))
    layer.bias.copy_(torch.tensor(bias))
    return layer


@torch.no_grad()
def assign_crf(crf, transitions, start, end):
    """Gives a pytorch-crf layer its weights."""
    crf.transitions.copy_(torch.tensor(transitions))
    crf.start_transitions.copy_(torch.tensor(start))
    crf.end_transitions.copy_(torch.tensor(end))


def trained(model):
    """The parameters that an optimizer changes."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
