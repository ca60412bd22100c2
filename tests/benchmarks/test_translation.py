"""Our sides of both workloads from sequence to sequence, here at small sizes."""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import (
    attention_scores,
    parts,
    run,
    seq2seq,
    seq2seq_workload,
    transformer,
    transformer_workload,
    translation,
    translation_workload,
)

MODULES = {"seq2seq": (seq2seq, seq2seq_workload), "transformer": (transformer, None)}
SMALL = {"BATCH": 3, "SOURCE": 5, "TARGET": 4, "VOCABULARY": 60}


@pytest.fixture(params=MODULES)
def module(request, monkeypatch):
    names = (translation_workload, seq2seq_workload, transformer_workload, seq2seq, transformer)
    for at in names:
        for name, size in SMALL.items():
            if hasattr(at, name):
                monkeypatch.setattr(at, name, size)
    sizes = {"EMBEDDING": 6, "UNITS": 8}
    for name, size in sizes.items():
        monkeypatch.setattr(seq2seq_workload, name, size)
    units, hidden = 8, 12
    kernels = {
        "self": (units, 3 * units),
        "self output": (units, units),
        "hidden": (units, hidden),
        "output": (hidden, units),
    }
    over = {
        "source query": (units, units),
        "source memory": (units, 2 * units),
        "source output": (units, units),
    }
    changed = {"UNITS": units, "HIDDEN": hidden, "HEADS": 2, "LAYERS": 2, "ENCODER": kernels}
    for name, value in {**changed, "DECODER": {**kernels, **over}}.items():
        monkeypatch.setattr(transformer_workload, name, value)
    return MODULES[request.param][0]


def log_probabilities(model, source, target):
    """Of every word at every place, by a call of the model; float64."""
    ids = {"source_ids": source, "target_ids": target}
    logits = ops.convert_to_numpy(model(keras.tree.map_structure(ops.convert_to_tensor, ids)))
    logits = logits.astype("float64")
    return logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))


def of_labels(log_probabilities, labels):
    return np.take_along_axis(log_probabilities, labels[..., None], axis=-1)[..., 0]


def test_training_begins_with_the_loss_of_the_workloads_weights(module):
    work = translation.training(module.model(), xla=True)
    first, second = work.results(work.call())["losses"]
    source, target = translation_workload.sentences()
    gains = of_labels(log_probabilities(module.model(), source, target[:, :-1]), target[:, 1:])
    assert first == pytest.approx(-gains.mean(), rel=1e-5)
    assert second < first


@pytest.mark.parametrize("beam_width", [1, 3])
def test_decoded_words_have_the_log_probabilities_of_a_call(module, beam_width):
    model = module.model()
    work = translation.decoding(model, beam_width)
    found = work.results(work.call())
    tokens, (source, target) = found["tokens"], translation_workload.sentences()
    assert tokens.shape == (3, 4)
    assert np.all(tokens >= translation_workload.SPECIAL)
    read = np.concatenate([target[:, :1], tokens[:, :-1]], axis=1)
    known = log_probabilities(model, source, read)
    np.testing.assert_allclose(found["scores"], of_labels(known, tokens).sum(axis=1), rtol=1e-5)
    if beam_width == 1:
        np.testing.assert_array_equal(tokens, known.argmax(axis=-1))
    else:
        greedy = translation.decoding(model)
        assert np.all(found["scores"] >= greedy.results(greedy.call())["scores"] - 1e-5)


@pytest.mark.usefixtures("module")
def test_models_differ_in_the_score_alone():
    works = [case.make() for case in attention_scores.cases()]
    losses = [work.results(work.call())["losses"] for work in works]
    assert all(second < first for first, second in losses)
    assert len({float(first) for first, _ in losses}) == len(attention_scores.SCORES)


def test_every_weight_of_the_workload_is_used(module):
    model = module.model()
    used = sum(np.abs(ops.convert_to_numpy(x.value)).sum() for x in model.trainable_variables)
    workload = seq2seq_workload if module is seq2seq else transformer_workload
    given = keras.tree.flatten(list(workload.weights().values()))
    assert used == pytest.approx(sum(np.abs(array).sum() for array in given), rel=1e-5)


def test_products_are_counted():
    sizes = {"seq2seq": (seq2seq_workload, 89.8), "transformer": (transformer_workload, 88.6)}
    for workload, step in sizes.values():
        gflop = workload.gflop()
        assert gflop["training step"] == pytest.approx(step, abs=0.1)
        assert gflop["training step"] == pytest.approx(3 * gflop["greedy"])
        assert gflop[workload.BEAM] < workload.BEAMS * gflop["greedy"]


@pytest.mark.parametrize("name", MODULES)
def test_all_goals_are_for_sides_and_metrics_that_are_there(name):
    options = run.arguments().parse_args([])
    (comparison,) = parts.PARTS[name](options)
    peers = {side.who for side in comparison.sides if not side.ours}
    goals = [key for key in parts.goals.GOALS if key[0] == name]
    assert goals
    assert {metric for _, metric, _ in goals} == set(comparison.gflop)
    assert {peer for *_, peer in goals} <= peers
