"""What both sides prepare for BERT, and how much of it."""

FILE_BYTES = 5_000_000
FILES = 16
TIMED = 4  # files of the 20 MB that both sides prepare
MEASURED = (1, 4, 16)  # files whose peak memory is measured
LENGTH, PREDICTIONS, SHARE, SHORT = 128, 20, 0.15, 0.1
PIECES = 8000  # at most


def files(folder, number):
    """Paths of the first files of the corpus."""
    return [folder / f"{index:02d}.txt" for index in range(number)]
