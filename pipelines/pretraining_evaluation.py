"""The evaluate stage of `pipelines.pretraining`."""

import json

import numpy as np

from pipelines import streams, trained_model
from pipelines.evaluation import bless, forget, verdict
from seqnlp import plot
from seqnlp.callbacks import TensorBoardPretrainer
from seqnlp.records import read_manifest

CURVES, HEADS, GUESSES = "curves.png", "heads.png", "guesses.md"
FILES = ("evaluation.json", CURVES, HEADS, GUESSES)
SHOWN = ("masked_lm_accuracy", "masked_lm_loss", "next_sentence_accuracy", "next_sentence_loss")


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    forget(output, FILES)


def evaluate(options):
    """Scores the test split and writes evaluation.json, pictures, guesses and the blessing."""
    from pipelines.pretraining_training import batches, judged

    manifest = read_manifest(str(options.output / "examples"), task="pretraining")
    model, text = trained_model.load_bert(options.output / "model.keras")
    held_out = batches(options, manifest, "test")
    held_out = list(held_out.as_numpy_iterator() if hasattr(held_out, "map") else held_out)
    scores = {
        "model": scores_of(model, held_out, judged()),
        "most frequent piece": _most_frequent(held_out),
    }
    if options.previous:
        previous, _ = trained_model.load_bert(options.previous)
        scores["previous model"] = scores_of(previous, held_out, judged())
    rivals = [name for name in scores if name != "model"]
    measure = SHOWN[0]
    blessed = all(scores["model"][measure] > scores[rival][measure] for rival in rivals)
    pairs = manifest.statistics["splits"]["test"]["pairs"]
    report = {"blessed": blessed, "measure": measure, "pairs": pairs, "scores": scores}
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    _draw(options, model, held_out[0], text.names)
    bless(options.output, blessed)
    _print(report)


def scores_of(model, batches, judged):
    """Losses and accuracies of a model, a dict."""
    model.compile(jit_compile=True, **judged)
    found = model.evaluate(streams.Listed(batches), verbose=0, return_dict=True)
    return {name: float(found[name]) for name in SHOWN}


def _most_frequent(batches):
    """Accuracies of always the same answer, the one that is right most often."""
    found = {}
    for name in ("masked_lm", "next_sentence"):
        chosen = [labels[name][weights[name] > 0] for _, labels, weights in batches]
        counts = np.bincount(np.concatenate(chosen))
        found[f"{name}_accuracy"] = float(counts.max() / counts.sum())
    return found


def _draw(options, model, batch, names):
    """Writes the heads' attention to a pair, guesses at pieces, and the curves of training."""
    shown = TensorBoardPretrainer(options.output / "logs", batch, names)
    shown.set_model(model)
    (options.output / HEADS).write_bytes(plot.png(shown.heads()))
    (options.output / GUESSES).write_text(shown.table() + "\n", encoding="utf-8")
    history = options.output / "logs" / "history.json"
    if history.exists():
        figure = _curves(json.loads(history.read_text()))
        (options.output / CURVES).write_bytes(plot.png(figure))


def _curves(epochs):
    """What each epoch came to, against the steps of the optimizer where they were noted."""
    noted = all("steps" in epoch for epoch in epochs)
    ends = [epoch["steps"] for epoch in epochs] if noted else range(1, len(epochs) + 1)
    panels = {
        name.replace("_", " "): {
            side: [epoch[f"{prefix}{name}"] for epoch in epochs]
            for side, prefix in (("training", ""), ("held out", "val_"))
        }
        for name in (SHOWN[0], SHOWN[2], "loss")
    }
    return plot.curves(ends, panels, unit="Step" if noted else "Epoch")


def _print(report):
    print(f"{report['pairs']} pairs of the test split")
    for name, scores in report["scores"].items():
        listed = ", ".join(f"{key} {value:.4f}" for key, value in scores.items())
        print(f"{name:>20}: {listed}")
    print(verdict(report["blessed"], report["measure"]))
