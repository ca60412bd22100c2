import pytest

from seqnlp.preprocessing import prepare_tagging
from seqnlp.records import OUTPUT_FORMATS
from tests.preprocessing.small_corpus import corpus, write


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Dict from format to a folder with the same examples: 300 to train on, 30, 20."""
    folder = tmp_path_factory.mktemp("formats")
    sizes = (("train", 300, 0), ("dev", 30, 1), ("test", 20, 2))
    files = [write(folder / name, corpus(count, seed)) for name, count, seed in sizes]
    settings = {"encoding": "bio", "digits": False}
    for name in OUTPUT_FORMATS:
        prepare_tagging(folder / f"{name}-out", *files, output_format=name, **settings)
    return {name: str(folder / f"{name}-out") for name in OUTPUT_FORMATS}
