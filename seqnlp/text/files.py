"""Text files, local or on any filesystem that TensorFlow knows, with errors that name the file.

TensorFlow is loaded for paths that name a filesystem (`gs://...`) alone.
"""

import contextlib
import json
import os
import sys


@contextlib.contextmanager
def opened(path, mode):
    """Opens a file: `with opened(path, "rb") as file`.

    Args:
        path: Path of the file, on any filesystem of `tf.io.gfile`.
        mode: `"rb"` or `"wb"`.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read or written; so also while it is in use.
    """
    with (
        _named_errors(path, "read" if mode == "rb" else "written"),
        _gfile().GFile(path, mode) if _is_remote(path) else open(path, mode) as file,
    ):
        yield file


def read_lines(path):
    """Reads a UTF-8 text file as a list of lines.

    Only a line feed ends a line (with a carriage return before it or not), so that tokens
    holding other Unicode line breaks survive. The last line may lack its line feed.

    Args:
        path: Path of the file, on any filesystem of `tf.io.gfile`.

    Returns:
        List of `str` without line ends.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read.
        ValueError: A line is not UTF-8; the message names file, line and byte.
    """
    with opened(path, "rb") as file:
        data = file.read()
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [_decode(line, path, number) for number, line in enumerate(lines, start=1)]


def read_object(path, keys):
    """Reads a file that holds a JSON object.

    Args:
        path: Path of the file, on any filesystem of `tf.io.gfile`.
        keys: Set of the keys that it must have, no more and no less.

    Returns:
        Dict.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It holds something else; the message names the file.
    """
    try:
        found = json.loads("\n".join(read_lines(path)))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: must be JSON ({error}).") from None
    if not isinstance(found, dict) or set(found) != keys:
        received = sorted(found) if isinstance(found, dict) else found
        raise ValueError(f"{path}: expected the keys {sorted(keys)}. Received: {received}")
    return found


def write_lines(path, lines):
    """Writes `lines`, each ended by a line feed, as UTF-8.

    Args:
        path: Path of the file, on any filesystem of `tf.io.gfile`. It is overwritten.
        lines: Iterable of `str` without line feeds.

    Raises:
        OSError: The file cannot be written.
    """
    data = "".join(f"{line}\n" for line in lines).encode()
    with opened(path, "wb") as file:
        file.write(data)


def make_folder(path):
    """Makes a folder and those above it, where missing.

    Raises:
        OSError: The folder cannot be made.
    """
    with _named_errors(path, "made a folder"):
        if _is_remote(path):
            _gfile().makedirs(path)
        else:
            os.makedirs(path, exist_ok=True)


def remove_file(path):
    """Removes a file where there is one.

    Raises:
        OSError: The file cannot be removed.
    """
    with _named_errors(path, "removed"), contextlib.suppress(FileNotFoundError):
        if not _is_remote(path):
            os.remove(path)
        elif _gfile().exists(path):
            _gfile().remove(path)


def _is_remote(path):
    return "://" in os.fspath(path)


def _gfile():
    import tensorflow as tf

    return tf.io.gfile


@contextlib.contextmanager
def _named_errors(path, action):
    try:
        yield
    except (OSError, *_remote_errors()) as error:
        if action == "read" and type(error).__name__ in ("FileNotFoundError", "NotFoundError"):
            raise FileNotFoundError(f"{path}: there is no such file.") from None
        reason = error.strerror or error if isinstance(error, OSError) else error.message
        raise OSError(f"{path}: cannot be {action} ({reason}).") from None


def _remote_errors():
    """The errors of TensorFlow's filesystems, which none but TensorFlow raises."""
    tensorflow = sys.modules.get("tensorflow")
    return (tensorflow.errors.OpError,) if tensorflow else ()


def _decode(line, path, number):
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: must be UTF-8. Received: "
            f"byte 0x{line[error.start]:02x} at position {error.start}"
        ) from None
