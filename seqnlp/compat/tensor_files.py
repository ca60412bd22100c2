"""Reads the files of weights that Hugging Face's folders hold, into NumPy arrays."""

import os
import pickle

import numpy as np

from seqnlp.compat.json_files import read_json
from seqnlp.text.files import opened


def read_tensors(folder):
    """All tensors of a folder.

    Read is the first there is of model.safetensors, the same in several files (its
    model.safetensors.index.json names them), pytorch_model.bin, and that in several files. The
    latter two need PyTorch, which is asked for weights alone: no code in the file is run.

    Args:
        folder: Path of a local folder.

    Returns:
        Path of the file, and a dict from names to arrays, floats as float32.

    Raises:
        ImportError: The package that reads the file is missing.
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read; the message names it.
    """
    for name, (read, in_several) in _READERS.items():
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            tensors = _read_shards(path, read) if in_several else read(path)
            return path, {name: _as_float32(tensor) for name, tensor in tensors.items()}
    received = sorted(os.listdir(folder)) if os.path.isdir(folder) else "no folder"
    raise FileNotFoundError(
        f"{folder}: must hold one of {', '.join(_READERS)}. Received: {received}"
    )


def write_safetensors(path, tensors):
    """Writes a dict from names to float arrays, as float32, for Hugging Face to read.

    Raises:
        ImportError: The package safetensors is missing.
        OSError: The file cannot be written.
    """
    save = _safetensors("writing").numpy.save
    tensors = {name: tensor.astype("float32") for name, tensor in tensors.items()}
    with opened(path, "wb") as file:
        file.write(save(tensors, {"format": "pt"}))


def _read_shards(index, read):
    files = read_json(index).get("weight_map")
    if not isinstance(files, dict) or not all(isinstance(name, str) for name in files.values()):
        raise ValueError(
            f"{index}: weight_map must say for each weight the name of its file. "
            f"Received: weight_map={files!r}"
        )
    tensors = {}
    for name in sorted(set(files.values())):
        path = os.path.join(os.path.dirname(index), name)
        if os.path.basename(name) != name or not os.path.isfile(path):
            raise ValueError(
                f"{index}: weight_map must name files beside it. Received: {name!r}, which is none"
            )
        tensors |= read(path)
    return tensors


def _read_safetensors(path):
    safetensors = _safetensors("reading")
    import ml_dtypes  # NumPy then knows bfloat16  # noqa: F401

    try:
        with safetensors.safe_open(path, "np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError:
        raise _not_whole(path, "safetensors") from None


def _safetensors(action):
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f'{action} model.safetensors needs safetensors: pip install "seqnlp[checkpoints]"'
        ) from error
    return safetensors


def _read_torch(path):
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"{path}: reading it needs PyTorch (pip install torch); a model.safetensors beside it "
            "would be read without"
        ) from error
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {
            name: (tensor.float() if tensor.is_floating_point() else tensor).numpy()
            for name, tensor in tensors.items()
        }
    except (RuntimeError, ValueError, EOFError, AttributeError, pickle.UnpicklingError):
        raise _not_whole(path, "PyTorch") from None


def _not_whole(path, kind):
    return ValueError(
        f"{path}: must be a whole {kind} file of weights. "
        f"Received: {os.path.getsize(path)} bytes that are not"
    )


def _as_float32(tensor):
    return tensor if np.issubdtype(tensor.dtype, np.integer) else tensor.astype("float32")


_READERS = {  # what reads it, and whether it names several files
    "model.safetensors": (_read_safetensors, False),
    "model.safetensors.index.json": (_read_safetensors, True),
    "pytorch_model.bin": (_read_torch, False),
    "pytorch_model.bin.index.json": (_read_torch, True),
}
