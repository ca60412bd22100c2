"""Writes what tests compare with: a small BERT of Hugging Face with random weights, its answers.

Run by `make huggingface` in an environment with PyTorch and transformers.
"""

import pathlib

import numpy as np
import torch
from transformers import BertConfig, BertForPreTraining

FOLDER = pathlib.Path(__file__).parent / "fixtures"
SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 2,
}


def main():
    """Writes weights, inputs, logits and hidden states into one `.npz`."""
    torch.manual_seed(0)
    model = BertForPreTraining(BertConfig(**SIZES)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # norms and biases too: their defaults hide errors
            parameter.add_(0.1 * torch.randn_like(parameter))
    random = np.random.default_rng(0)
    lengths = np.array([20, 13, 5, 2])
    places = np.arange(20)
    token_ids = random.integers(5, 61, size=(4, 20)) * (places < lengths[:, None])
    segment_ids = (places >= lengths[:, None] // 2) * (places < lengths[:, None])
    with torch.no_grad():
        found = model(
            input_ids=torch.tensor(token_ids),
            token_type_ids=torch.tensor(segment_ids.astype("int64")),
            attention_mask=torch.tensor((token_ids != 0).astype("int64")),
            output_hidden_states=True,
        )
        pooled = model.bert.pooler(found.hidden_states[-1])
    written = {f"weights/{name}": x.numpy() for name, x in model.state_dict().items()}
    written |= {
        "token_ids": token_ids,
        "segment_ids": segment_ids,
        "tokens": found.hidden_states[-1].numpy(),
        "pooled": pooled.numpy(),
        "masked_lm": found.prediction_logits.numpy(),
        "next_sentence": found.seq_relationship_logits.numpy(),
    }
    np.savez_compressed(FOLDER / "huggingface_bert.npz", **written)


if __name__ == "__main__":
    main()
