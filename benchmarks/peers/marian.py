"""The Transformer of the workload as Marian's model in transformers, which CTranslate2 reads."""

import numpy as np
import torch
from torch import nn
from transformers import MarianConfig, MarianMTModel

from benchmarks import transformer_workload as workload
from benchmarks.peers.pytorch_weights import assign
from benchmarks.translation_workload import END, START, VOCABULARY

STACK = {
    "layers": workload.LAYERS,
    "attention_heads": workload.HEADS,
    "ffn_dim": workload.HIDDEN,
}


def model():
    """A `MarianMTModel` with the workload's weights."""
    sizes = {f"{part}_{name}": n for part in ("encoder", "decoder") for name, n in STACK.items()}
    config = MarianConfig(
        vocab_size=VOCABULARY,
        d_model=workload.UNITS,
        activation_function="relu",
        dropout=0.0,
        scale_embedding=True,
        max_position_embeddings=len(workload.sines()),
        pad_token_id=0,
        decoder_start_token_id=START,
        eos_token_id=END,
        forced_eos_token_id=None,
        **sizes,
    )
    made, weights = MarianMTModel(config).eval(), workload.weights()
    with torch.no_grad():
        made.get_input_embeddings().weight.copy_(torch.tensor(weights["table"]))
        made.final_logits_bias.zero_()
    for stack in ("encoder", "decoder"):
        part = getattr(made.model, stack)
        with torch.no_grad():
            part.embed_positions.weight.copy_(torch.tensor(workload.sines()))
        for at, layer in enumerate(part.layers):
            _assign(layer, {key[2]: weights[key] for key in weights if key[:2] == (stack, at)})
    for module in made.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = workload.NORM_EPSILON
    return made


def _assign(layer, weights):
    _assign_attention(layer.self_attn, weights["self"], weights["self output"])
    norms = [layer.self_attn_layer_norm, layer.final_layer_norm]
    if "source query" in weights:
        both = zip(weights["source query"], weights["source memory"], strict=True)
        joined = [np.concatenate(pair, axis=-1) for pair in both]
        _assign_attention(layer.encoder_attn, joined, weights["source output"])
        norms.insert(1, layer.encoder_attn_layer_norm)
    parts = {"hidden": layer.fc1, "output": layer.fc2}
    parts |= {f"norm {at}": norm for at, norm in enumerate(norms)}
    for name, part in parts.items():
        assign(part.weight, part.bias, *weights[name])


def _assign_attention(attention, queries_keys_values, output):
    kernel, bias = (np.split(array, 3, axis=-1) for array in queries_keys_values)
    for at, part in enumerate((attention.q_proj, attention.k_proj, attention.v_proj)):
        assign(part.weight, part.bias, kernel[at], bias[at])
    assign(attention.out_proj.weight, attention.out_proj.bias, *output)
