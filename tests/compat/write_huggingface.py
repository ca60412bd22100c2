"""Writes what tests compare with: small BERTs of Hugging Face with random weights, their answers.

Run by `make huggingface` in an environment with PyTorch and transformers. Fixtures are
`huggingface_bert.npz`, weights, inputs and answers, and the folder `huggingface`, the same model
and a tokenizer as `save_pretrained` leaves them.
"""

import pathlib
import string

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertTokenizer,
)
from transformers.utils import logging

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
HEADS = {  # the name of their weights, and how many labels they have
    BertForSequenceClassification: ("classifier", 3),
    BertForTokenClassification: ("classifier", 5),
    BertForQuestionAnswering: ("qa_outputs", 2),
}
PIECES = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", ".", "?", "the", "train"],
    *string.ascii_lowercase,
    *[f"##{letter}" for letter in string.ascii_lowercase[:20]],
    *["##ing", "train##", "##s.", "東", "ö"],
]
TEXTS = ["The training, Café!", "trains a 東b train##", "", "Q qux", "öd?"]
SECONDS = ["a.b", "", "the", "bad day", "The\tTrain"]


def main():
    """Writes the fixtures."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    config = BertConfig(**SIZES)
    model = _with_noise(BertForPreTraining(config).eval())
    inputs = _inputs()
    with torch.no_grad():
        found = model(**inputs, output_hidden_states=True)
        pooled = model.bert.pooler(found.hidden_states[-1])
    written = {f"weights/{name}": x.numpy() for name, x in model.state_dict().items()}
    written |= {
        "token_ids": inputs["input_ids"].numpy(),
        "segment_ids": inputs["token_type_ids"].numpy(),
        "tokens": found.hidden_states[-1].numpy(),
        "pooled": pooled.numpy(),
        "masked_lm": found.prediction_logits.numpy(),
        "next_sentence": found.seq_relationship_logits.numpy(),
    }
    for kind, (name, num_labels) in HEADS.items():
        written |= _head(kind, name, num_labels, model.bert, inputs)
    model.save_pretrained(FOLDER / "huggingface")
    written |= _tokenized(FOLDER / "huggingface")
    np.savez_compressed(FOLDER / "huggingface_bert.npz", **written)


def _with_noise(model):
    with torch.no_grad():
        for parameter in model.parameters():  # norms and biases too: their defaults hide errors
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def _inputs():
    random = np.random.default_rng(0)
    lengths = np.array([20, 13, 5, 2])
    places = np.arange(20)
    token_ids = random.integers(5, 61, size=(4, 20)) * (places < lengths[:, None])
    segment_ids = (places >= lengths[:, None] // 2) * (places < lengths[:, None])
    return {
        "input_ids": torch.tensor(token_ids),
        "token_type_ids": torch.tensor(segment_ids.astype("int64")),
        "attention_mask": torch.tensor((token_ids != 0).astype("int64")),
    }


def _head(kind, name, num_labels, encoder, inputs):
    """Weights and logits of a head above the same encoder."""
    model = kind(BertConfig(**SIZES, num_labels=num_labels)).eval()
    head = _with_noise(getattr(model, name))
    model.bert.load_state_dict(encoder.state_dict(), strict=model.bert.pooler is not None)
    with torch.no_grad():
        found = model(**inputs)
    spans = kind is BertForQuestionAnswering
    logits = torch.stack([found.start_logits, found.end_logits], -1) if spans else found.logits
    heads = {f"{name}.{part}": x.numpy() for part, x in head.state_dict().items()}
    heads["logits"] = logits.numpy()
    return {f"{kind.__name__}/{part}": x for part, x in heads.items()}


def _tokenized(folder):
    """Writes a tokenizer, and gives texts and their ids."""
    file = folder / "vocab.txt"
    file.write_text("".join(f"{piece}\n" for piece in PIECES), encoding="utf-8")
    tokenizer = BertTokenizer(str(file), do_lower_case=True)
    tokenizer.save_pretrained(folder)
    file.unlink()  # transformers 5 writes tokenizer.json alone
    found = tokenizer(TEXTS, SECONDS, padding=True, return_tensors="np")
    return {
        "texts": np.array(TEXTS),
        "seconds": np.array(SECONDS),
        "texts_token_ids": found["input_ids"],
        "texts_segment_ids": found["token_type_ids"],
    }


if __name__ == "__main__":
    main()
