"""Text files on any filesystem that TensorFlow knows, with errors that name the file."""

import tensorflow as tf


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
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            data = file.read()
    except tf.errors.NotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file.") from None
    except tf.errors.OpError as error:
        raise OSError(f"{path}: cannot be read ({error.message}).") from None
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [_decode(line, path, number) for number, line in enumerate(lines, start=1)]


def write_lines(path, lines):
    """Writes `lines`, each ended by a line feed, as UTF-8.

    Args:
        path: Path of the file, on any filesystem of `tf.io.gfile`. It is overwritten.
        lines: Iterable of `str` without line feeds.

    Raises:
        OSError: The file cannot be written.
    """
    data = "".join(f"{line}\n" for line in lines).encode()
    try:
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(data)
    except tf.errors.OpError as error:
        raise OSError(f"{path}: cannot be written ({error.message}).") from None


def make_folder(path):
    """Makes a folder and those above it, where missing.

    Raises:
        OSError: The folder cannot be made.
    """
    try:
        tf.io.gfile.makedirs(path)
    except tf.errors.OpError as error:
        raise OSError(f"{path}: cannot be made a folder ({error.message}).") from None


def _decode(line, path, number):
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: must be UTF-8. Received: "
            f"byte 0x{line[error.start]:02x} at position {error.start}"
        ) from None
