"""Loads an export as TensorFlow 2.20 does and compares its answers with stored ones.

Run by the Python of the environment with tensorflow 2.20 and without Keras:
`python -m serving.load_220 VERSION_FOLDER CASES_JSONL`.
"""

import pathlib
import sys

from serving.bare import bare_tensorflow, present
from serving.cases import to_json, to_values
from serving.conformance import difference, read_cases


def run_cases(folder, cases):
    """Load the export and yield `(case, what differs or None)` for each case.

    Args:
        folder: The SavedModel's folder.
        cases: Dicts with `signature`, `inputs` and `outputs`.

    Raises:
        ValueError: A case names a signature that is not there.
    """
    tf = bare_tensorflow()
    loaded = tf.saved_model.load(str(folder))
    for case in cases:
        if case["signature"] not in loaded.signatures:
            raise ValueError(f"{folder} must have signature {case['signature']}, but has not")
        function = loaded.signatures[case["signature"]]
        specs = function.structured_input_signature[1]
        inputs = {
            name: tf.constant(to_values(value), specs[name].dtype)
            for name, value in case["inputs"].items()
        }
        outputs = {
            name: to_json(name, tensor.numpy()) for name, tensor in function(**inputs).items()
        }
        yield case, difference(case["outputs"], outputs)


def main(argv=None):
    """Run the program and return its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 2:
        print("usage: python -m serving.load_220 VERSION_FOLDER CASES_JSONL", file=sys.stderr)
        return 2
    folder, cases = map(pathlib.Path, arguments)
    try:
        return _report(folder, read_cases(cases))
    except Exception as error:
        # Whatever TensorFlow 2.20 cannot do with the export is the answer, not a crash.
        print(f"load 2.20: {folder}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _report(folder, cases):
    import tensorflow as tf

    for number, (case, wrong) in enumerate(run_cases(folder, cases)):
        if wrong:
            where = f"case {number} ({case['signature']})"
            print(f"load 2.20: {folder}: {where}: {wrong}", file=sys.stderr)
            return 1
    if found := present():
        print(f"load 2.20: {', '.join(found)} must not be loaded", file=sys.stderr)
        return 1
    print(f"{len(cases)} cases of {folder} agree in tensorflow {tf.__version__}, without Keras")
    return 0


if __name__ == "__main__":
    sys.exit(main())
