"""Which ops of an export TensorFlow Serving 2.20 does not know: `python -m serving.op_check DIR`.

Only the protos are read; nothing is loaded or run.
"""

import pathlib
import sys

from tensorflow.core.protobuf import saved_model_pb2

OPS = pathlib.Path(__file__).parent / "ops"
LISTS = (OPS / "core_2_20.txt", OPS / "text_2_20.txt")


def known_ops(lists=LISTS):
    """Return the ops of the list files as a set."""
    return {op for path in lists for op in path.read_text(encoding="utf-8").split()}


def unsupported_ops(export_folder, lists=LISTS):
    """Return the ops of an export that are in none of the lists.

    Args:
        export_folder: Folder of a SavedModel, or one with SavedModels somewhere below.
        lists: Paths of text files, one op a line.

    Returns:
        Sorted list of `(op, where)`; `where` names the file and the graph or function.

    Raises:
        ValueError: No `saved_model.pb` is there, or one cannot be read.
    """
    folder = pathlib.Path(export_folder)
    paths = sorted(folder.rglob("saved_model.pb"))
    if not paths:
        raise ValueError(
            "`export_folder` must hold a saved_model.pb, itself or somewhere below."
            f" Received: export_folder={folder}"
        )
    known = known_ops(lists)
    found = set()
    for path in paths:
        name = path.relative_to(folder).as_posix()
        for op, where in _ops(path):
            if op not in known:
                found.add((op, f"{name}: {where}"))
    return sorted(found)


def _ops(path):
    """Yield `(op, where)` of every node; a call of one of the model's functions is no op."""
    try:
        proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a SavedModel: {error}") from error
    for meta_graph in proto.meta_graphs:
        library = meta_graph.graph_def.library.function
        functions = {function.signature.name for function in library}
        bodies = [("graph", meta_graph.graph_def.node)]
        bodies += [(f"function {f.signature.name}", f.node_def) for f in library]
        for where, nodes in bodies:
            for node in nodes:
                if node.op not in functions:
                    yield node.op, where


def main(argv=None):
    """Print the unsupported ops and return the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("usage: python -m serving.op_check DIR", file=sys.stderr)
        return 2
    try:
        found = unsupported_ops(arguments[0])
    except ValueError as error:
        print(f"op check: {error}", file=sys.stderr)
        return 1
    for op, where in found:
        print(f"{op} is not in TensorFlow Serving 2.20 ({where})")
    if not found:
        print(f"every op of {arguments[0]} is in TensorFlow Serving 2.20")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
