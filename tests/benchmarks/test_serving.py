import numpy as np
import pytest

from benchmarks import serving
from pipelines import tagging

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def export(prepared):
    """Folder of the versions of a tagger that has hardly learned."""
    small = ["--units=4", "--word_units=4", "--epochs=1", "--steps_per_epoch=1"]
    for stage in ("train", "evaluate", "export"):
        tagging.run([stage, f"--output={prepared}", *small, "--export_anyway"])
    return prepared / "serving" / "tagger"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(serving, "SECONDS", 0.3)
    monkeypatch.setattr(serving, "TEXTS", 5)


def test_rest_grpc_and_the_graph_alone_give_the_same_tags(export):
    found = []
    for by in ("rest", "grpc", "graph"):
        work = serving.requests(export, by, 3, "requests/s", len)
        latencies = work.call()
        assert len(latencies) >= 3
        assert all(0 < seconds < 10 for seconds in latencies)
        found.append(work.results(latencies)["tags"])
    assert len(found[0]) > 3
    for tags in found[1:]:
        np.testing.assert_array_equal(tags, found[0])


def test_tokenising_takes_a_share_of_the_signature(export):
    work = serving.tokenising(export, 2)
    work.call()  # traces
    assert 0 < work.figure(work.call()) < 100


def test_figures_come_from_latencies():
    latencies = np.arange(1, 101) / 1000
    figures = {metric: figure(latencies) for metric, _, figure in serving.METRICS}
    assert figures["throughput"] == pytest.approx(100 / 0.3)
    assert figures["latency, median"] == pytest.approx(50.5)
    assert figures["latency, 99 %"] == pytest.approx(99.01)
