"""Our sides run, here at small sizes, and give what a second way gives."""

import itertools

import numpy as np
import pytest

from benchmarks import crf, crf_workloads, peak, rnn, rnn_workloads, tagger, tagger_workload

SMALL = crf_workloads.workload(2, 4, 3)


def paths(length):
    """All tag sequences of `length`, filled up with 0, `(paths, time)`."""
    time, num_tags = SMALL.potentials.shape[1:]
    rows = itertools.product(range(num_tags), repeat=int(length))
    return np.array([row + (0,) * (time - len(row)) for row in rows])


def scores_of_all(row):
    every = paths(SMALL.lengths[row])
    rows = [field[row : row + 1] for field in SMALL[1:4]]
    alone = crf_workloads.Workload("row", *rows, SMALL.transitions)
    repeated = alone._replace(
        potentials=np.repeat(alone.potentials, len(every), axis=0),
        lengths=np.repeat(alone.lengths, len(every)),
    )
    return repeated.path_scores(every)


def test_the_crf_decodes_the_best_of_all_paths():
    work = crf.viterbi(SMALL)
    found = work.results(work.call())["scores"]
    best = [scores_of_all(row).max() for row in range(len(SMALL.tags))]
    np.testing.assert_allclose(found, best, rtol=1e-6)


def test_the_crf_gives_the_loss_over_all_paths_and_both_gradients():
    work = crf.loss_gradient(SMALL)
    found = work.results(work.call())
    norms = [np.logaddexp.reduce(scores_of_all(row)) for row in range(len(SMALL.tags))]
    expected = np.mean(norms - SMALL.path_scores(SMALL.tags))
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert found["potentials_gradient"].shape == SMALL.potentials.shape
    # Of probabilities and of counts of the given tags, each token's and step's sum to one.
    np.testing.assert_allclose(found["potentials_gradient"].sum(axis=-1), 0, atol=1e-6)
    assert found["transitions_gradient"].sum() == pytest.approx(0, abs=1e-6)
    assert np.abs(found["transitions_gradient"]).max() > 0.01


def test_a_case_is_made_for_each_workload_and_metric():
    names = [(case.workload, case.metric) for case in crf.cases()]
    assert len(set(names)) == len(names) == 2 * len(crf_workloads.SHAPES)


@pytest.fixture
def small_tagger(monkeypatch):
    sizes = {"BATCH": 2, "TIME": 5, "TAGS": 3, "VOCABULARY": 20, "EMBEDDING": 4, "UNITS": 6}
    for name, value in {**sizes, "STEPS": 3}.items():
        monkeypatch.setattr(tagger_workload, name, value)


@pytest.mark.usefixtures("small_tagger")
def test_the_tagger_trains_from_the_workloads_weights():
    work = tagger.training()
    loss = work.results(work.call())["loss"]
    assert loss == pytest.approx(np.log(3), abs=0.1)  # small weights tell the tags not apart
    for _ in range(5):
        later = work.call()
    assert later < loss


@pytest.mark.usefixtures("small_tagger")
def test_the_tagger_decodes_the_path_that_scores_best():
    work = tagger.inference()
    results = work.results(work.call())
    every = np.array(list(itertools.product(range(3), repeat=5)))
    for potentials, found in zip(results["potentials"], results["scores"], strict=True):
        repeated = np.repeat(potentials[None], len(every), axis=0)
        best = tagger_workload.path_scores(repeated, every).max()
        assert found == pytest.approx(best, rel=1e-6)


def test_the_peak_is_that_of_a_matrix_product(monkeypatch):
    monkeypatch.setattr(peak, "SIZE", 8)
    work = peak.product()
    first, second = np.random.default_rng(0).normal(size=(2, 8, 8)).astype("float32")
    product = work.results(work.call())["product"]
    np.testing.assert_allclose(product, first @ second, rtol=1e-5)
    assert work.items == pytest.approx(2e-9 * 8**3)


def test_our_recurrent_layer_and_keras_own_give_the_same_loss_and_gradients(monkeypatch):
    workload = rnn_workloads.workload(2, 3, 4, 5)
    ours = rnn.gradients(workload)
    monkeypatch.setattr(rnn, "IMPLEMENTATION", "keras")
    other = rnn.gradients(workload)
    found, expected = ours.results(ours.call()), other.results(other.call())
    assert set(found) == set(expected) == {"loss", "inputs", *(f"weight {n}" for n in range(6))}
    for name, array in found.items():
        assert np.abs(array).max() > 1e-4
        np.testing.assert_allclose(array, expected[name], rtol=1e-4, atol=1e-7)
