import numpy as np
import pytest

from benchmarks import prepare
from benchmarks.parts import PARTS


def test_the_corpus_is_whole_sentences_and_written_once(tmp_path):
    prepare.write(tmp_path, files=2, size=20_000)
    texts = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.iterdir())]
    assert len(texts) == 2
    assert texts[0] != texts[1]
    for text in texts:
        assert text.endswith("\n\n")
        assert 19_000 < len(text.encode()) <= 20_002
        assert {line.count("\t") for line in text.split("\n") if line} == {1}
    before = (tmp_path / "00.conll").stat().st_mtime_ns
    prepare.write(tmp_path, files=2, size=20_000)
    assert (tmp_path / "00.conll").stat().st_mtime_ns == before


@pytest.mark.slow
def test_the_loop_and_the_pipeline_prepare_the_same(tmp_path):
    prepare.write(tmp_path, files=2, size=20_000)
    files = sorted(tmp_path.iterdir())
    peer = prepare.loop(files)
    for ours in (prepare.pipeline(files), prepare.pipeline(files, "parquet")):
        assert ours["counts"] == peer["counts"]
        assert ours["seconds"] > 1
        assert ours["megabytes"] > 100
    results = prepare._results(peer)
    assert results["sentences"].sum() == sum(text.count("\n\n") for text in _texts(files))
    assert np.all(results["word_ids"] > 2 * results["sentences"])


def _texts(files):
    return [path.read_text(encoding="utf-8") for path in files]


def test_each_comparison_has_cases_of_its_name(tmp_path):
    class Options:
        output = tmp_path

    ours = {case.workload for case in prepare.cases(tmp_path, "pipeline")}
    loop = {case.workload for case in prepare.cases(tmp_path, "loop")}
    names = {comparison.workload for comparison in PARTS["prepare"](Options())}
    assert ours == names
    assert loop == {"prepare 20 MB"}
