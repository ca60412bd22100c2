"""Checks that Hugging Face loads what we write and answers the same, and that we read its files.

    python -m tests.compat.check_huggingface FOLDER

FOLDER is that of write_for_huggingface.py. Run by `make huggingface` in an environment with
PyTorch and transformers, where neither Keras nor TensorFlow is. Exit status 1: something differs.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
from transformers import (
    AutoTokenizer,
    BertForPreTraining,
    BertModel,
    BertTokenizerFast,
)
from transformers.utils import logging

from seqnlp.compat.tensor_files import read_tensors

TOLERANCE = 1e-4


def main(folder):
    """Prints a line a check, and gives the exit status."""
    logging.disable_progress_bar()
    checks = [check for kind in sorted(folder.iterdir()) for check in folder_checks(kind)]
    checks += list(file_checks(folder / "gelu"))
    for said, fine in checks:
        print("same     " if fine else "DIFFERENT", said)
    return 0 if all(fine for _, fine in checks) else 1


def folder_checks(folder):
    """`(what was compared, whether it is the same)` of one folder of ours."""
    answers = np.load(folder / "answers.npz")
    yield from model_checks(folder, answers)
    texts = json.loads((folder / "texts.json").read_text("utf-8"))
    for kind in (AutoTokenizer, BertTokenizerFast):
        found = kind.from_pretrained(folder)(*texts, padding=True, return_tensors="np")
        for theirs, ours in (("input_ids", "token_ids"), ("token_type_ids", "segment_ids")):
            fine = np.array_equal(found[theirs], answers[f"texts_{ours}"])
            yield f"{folder.name}: {theirs} of {kind.__name__}", fine


def model_checks(folder, answers):
    """The same of its logits or states."""
    kind = BertForPreTraining if "masked_lm" in answers else BertModel
    model, report = kind.from_pretrained(folder, output_loading_info=True)
    names = ("missing_keys", "unexpected_keys", "mismatched_keys")
    wrong = [name for list_of in names for name in report[list_of]]
    yield f"{folder.name}: weights of {kind.__name__}, of which other: {wrong}", not wrong
    real = answers["token_ids"] != 0
    with torch.no_grad():
        found = model.eval()(
            input_ids=torch.tensor(answers["token_ids"]),
            token_type_ids=torch.tensor(answers["segment_ids"]),
            attention_mask=torch.tensor(real.astype("int64")),
        )
    if kind is BertModel:
        pairs = {"tokens": found.last_hidden_state, "pooled": found.pooler_output}
    else:
        pairs = {
            "masked_lm": found.prediction_logits,
            "next_sentence": found.seq_relationship_logits,
        }
    for name, theirs in pairs.items():
        theirs, ours = theirs.numpy(), answers[name]
        if theirs.ndim == 3:
            theirs, ours = theirs[real], ours[real]
        largest = np.abs(theirs - ours).max()
        yield f"{folder.name}: {name}, largest difference {largest:.1e}", largest < TOLERANCE


def file_checks(folder):
    """The same of files that Hugging Face and PyTorch write, and that we read."""
    model = BertForPreTraining.from_pretrained(folder)
    expected = {name: x.numpy() for name, x in model.state_dict().items()}
    with tempfile.TemporaryDirectory() as other:
        model.save_pretrained(other, max_shard_size="50KB")
        path, found = read_tensors(other)
        number = len(list(pathlib.Path(other).glob("*.safetensors")))
        untied = [name for name in expected if "decoder" not in name]
        fine = number > 1 and same({name: expected[name] for name in untied}, found)
        yield f"{pathlib.Path(path).name} of {number} files", fine
    for name, is_zip in (("zip", True), ("before PyTorch 1.6", False)):
        with tempfile.TemporaryDirectory() as other:
            file = pathlib.Path(other) / "pytorch_model.bin"
            torch.save(model.state_dict(), file, _use_new_zipfile_serialization=is_zip)
            yield f"pytorch_model.bin, {name}", same(expected, read_tensors(other)[1])
            file.write_bytes(file.read_bytes()[:1000])
            message = (
                f"{file}: must be a whole PyTorch file of weights. "
                "Received: 1000 bytes that are not"
            )
            yield f"pytorch_model.bin, {name}, cut off: its error", message == error_of(other)


def same(expected, found):
    """Whether dicts hold equal arrays."""
    return expected.keys() == found.keys() and all(
        np.array_equal(found[name], expected[name]) for name in expected
    )


def error_of(folder):
    """What reading a folder says."""
    try:
        read_tensors(folder)
    except ValueError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
