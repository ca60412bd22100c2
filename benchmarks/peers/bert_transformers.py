"""Hugging Face's BERT: a step of pretraining, with `--compile` under `torch.compile`.

`--gather` scores the hidden pieces alone, as ours does; by itself it scores all places.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from transformers import BertConfig, BertForPreTraining

from benchmarks import bert_workload as workload
from benchmarks.timing import Case, Work, main

IGNORED = -100  # label of a piece that was not hidden


def model():
    """The model with the workload's weights."""
    config = BertConfig(
        vocab_size=workload.VOCABULARY,
        hidden_size=workload.UNITS,
        num_hidden_layers=workload.LAYERS,
        num_attention_heads=workload.HEADS,
        intermediate_size=workload.HIDDEN,
        max_position_embeddings=workload.POSITIONS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="sdpa",
    )
    made = BertForPreTraining(config).train()
    weights = {name: torch.tensor(array) for name, array in workload.weights().items()}
    missing, unexpected = made.load_state_dict(weights, strict=False)
    tied = {f"cls.predictions.decoder.{part}" for part in ("weight", "bias")}
    if unexpected or set(missing) - tied:
        raise RuntimeError(f"weights: missing {missing}, unexpected {unexpected}")
    made.tie_weights()
    return made


def training():
    """`STEPS` steps."""
    made = model()
    pairs = {name: torch.tensor(x, dtype=torch.long) for name, x in workload.pairs().items()}
    read = pairs["token_ids"], pairs["segment_ids"]
    rows = torch.arange(workload.BATCH)[:, None]
    places = torch.full_like(read[0], IGNORED)
    places = places.scatter(1, pairs["positions"], pairs["masked_lm"])

    def everywhere():
        labels = {"labels": places, "next_sentence_label": pairs["next_sentence"]}
        return made(read[0], token_type_ids=read[1], **labels).loss

    def gathered():
        found = made.bert(read[0], token_type_ids=read[1])
        chosen = found.last_hidden_state[rows, pairs["positions"]]
        words, follows = made.cls(chosen, found.pooler_output)
        hidden = F.cross_entropy(words.flatten(0, 1), pairs["masked_lm"].flatten())
        return hidden + F.cross_entropy(follows, pairs["next_sentence"])

    loss_of = gathered if "--gather" in sys.argv else everywhere
    if "--compile" in sys.argv:
        loss_of = torch.compile(loss_of)
    settings = {"eps": workload.EPSILON, "fused": True}
    optimizer = torch.optim.Adam(made.parameters(), workload.LEARNING_RATE, **settings)

    def call():
        losses = []
        for _ in range(workload.STEPS):
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return losses

    return Work(call, lambda losses: {"losses": np.array(losses)}, items=workload.STEPS)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main([Case("BERT", "training step", training)], ["transformers", "torch"])
