"""Writes the ops that TensorFlow Serving 2.20 knows: `ops/core_2_20.txt` and `ops/text_2_20.txt`.

Run by the Python of the environment with tensorflow 2.20 and tensorflow-text 2.20:
`python -m serving.write_op_lists`.
"""

import pathlib
import sys

from serving import bare

FOLDER = pathlib.Path(__file__).parent / "ops"
VERSION = "2.20"


def registered_ops():
    """Return the names of the ops registered in this process."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session as session

    serialized = session.TF_GetBuffer(session.TF_GetAllOpList())
    return {op.name for op in op_def_pb2.OpList.FromString(serialized).op}


def op_lists():
    """Return `(core, text)`: TensorFlow's ops, and those that TF Text's libraries add.

    Raises:
        RuntimeError: TensorFlow is not 2.20 or TF Text adds nothing.
    """
    bare.refuse()
    import tensorflow as tf

    if not tf.__version__.startswith(f"{VERSION}."):
        raise RuntimeError(f"tensorflow must be {VERSION}, but is {tf.__version__}")
    core = registered_ops()
    bare.load_text_ops()
    text = registered_ops() - core
    if not text:
        raise RuntimeError("tensorflow-text must be installed, but adds no op")
    return sorted(core), sorted(text)


def main():
    """Write both lists and return the exit status."""
    try:
        lists = op_lists()
    except RuntimeError as error:
        print(f"write_op_lists: {error}", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, ops in zip(("core", "text"), lists, strict=True):
        path = FOLDER / f"{name}_2_20.txt"
        path.write_text("".join(f"{op}\n" for op in ops), encoding="utf-8")
        print(f"{len(ops)} ops in {path.relative_to(FOLDER.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
