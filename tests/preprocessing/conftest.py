import pytest

from tests.preprocessing.small_corpus import corpus, write


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    sentences = corpus(300)
    sentences[10] = sentences[20] = sentences[30]
    parts = [write(folder / f"part{n}.conll", sentences[n::3]) for n in range(3)]
    held_out = [write(folder / f"{n}.conll", corpus(30, seed)) for n, seed in [("d", 1), ("t", 2)]]
    return parts, *held_out
