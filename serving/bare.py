"""TensorFlow as the server has it: with TF Text's ops, without Keras and without this library."""

import importlib.abc
import importlib.machinery
import os
import pathlib
import sys

REFUSED = ("keras", "tf_keras", "seqnlp", "tensorflow_text")


class _RefusingLoader(importlib.abc.Loader):
    def create_module(self, spec):
        raise ModuleNotFoundError(f"{spec.name} is refused in this process", name=spec.name)

    def exec_module(self, module):
        raise ModuleNotFoundError(f"{module.__name__} is refused in this process")


class RefusingFinder(importlib.abc.MetaPathFinder):
    """Makes the import of every package in `REFUSED` fail.

    It hands out a spec and fails at loading, because TensorFlow asks for Keras' spec at import
    and takes only an ImportError at loading for "not installed".
    """

    def find_spec(self, fullname, path=None, target=None):
        """Return a spec that cannot be loaded for a refused package, else None."""
        if fullname.partition(".")[0] in REFUSED:
            return importlib.machinery.ModuleSpec(fullname, _RefusingLoader())
        return None


def present():
    """Return the sorted names of refused packages that are loaded in this process."""
    loaded = {name.partition(".")[0] for name in sys.modules}
    return sorted(loaded.intersection(REFUSED))


def refuse():
    """Refuse Keras, seqnlp and TF Text's Python package from now on.

    Raises:
        RuntimeError: One of them is loaded already.
    """
    if found := present():
        raise RuntimeError(f"{', '.join(found)} must not be loaded in this process, but is")
    if not any(isinstance(finder, RefusingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, RefusingFinder())


def text_op_libraries():
    """Return the paths of TF Text's shared libraries, sorted; none if it is not installed.

    The package is located and not imported: importing it would import Keras.
    """
    spec = importlib.machinery.PathFinder.find_spec("tensorflow_text")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = pathlib.Path(next(iter(spec.submodule_search_locations)))
    return sorted(folder.rglob("*.so"))


def load_text_ops():
    """Register TF Text's ops with the loaded TensorFlow."""
    import tensorflow as tf

    for library in text_op_libraries():
        tf.load_op_library(str(library))


def bare_tensorflow():
    """Import TensorFlow without Keras and register TF Text's ops.

    Returns:
        The `tensorflow` module.

    Raises:
        RuntimeError: Keras, seqnlp or TF Text's Python package is in the process.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    refuse()
    import tensorflow as tf

    load_text_ops()
    if found := present():
        raise RuntimeError(f"{', '.join(found)} must not be loaded in this process, but is")
    return tf
