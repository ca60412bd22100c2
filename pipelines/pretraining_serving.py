"""The export and check stages of `pipelines.pretraining`."""

import itertools
import random

import numpy as np
import tensorflow as tf

from pipelines import exports, trained_model
from pipelines.exports import BATCH, CHECKED, EDGE_STRINGS, SERVED_TEXT, WARM_UP
from pipelines.pretraining_truth import PretrainingTruth
from seqnlp.export import pretraining_signatures
from seqnlp.records import pretraining_batches
from seqnlp.text import BERTText
from seqnlp.text.bert_names import BERT_SPECIALS, GLUE, MASK

EDGES = [
    *EDGE_STRINGS,
    MASK,
    f"{MASK}{MASK}",
    f"{MASK} [mask] [CLS] {MASK}",
    "word " * 600 + MASK,
    f"{MASK} " * 600,
    "한국어 " * 10_000,
    b"no \xff\xfe UTF-8",
]
GAP_SHARE = 0.15  # of the words of a checked text


def export(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    exports.check_blessed(options)
    model, text = trained_model.load_bert(options.output / "model.keras")
    served = exports.in_float32(model)
    signatures = pretraining_signatures(served, text, options.n_best)
    texts = _texts(options, text, WARM_UP)
    requests = [(name, {"text": texts}) for name in signatures if name != "next_sentence"]
    requests.append(("next_sentence", {"text": texts, "text_pair": texts[::-1]}))
    return exports.write_version(options, served, text, signatures, requests)


def check(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import check_export

    newest = exports.newest_version(options)
    model, _ = trained_model.load_bert(options.output / "model.keras")
    text = BERTText.load(str(newest / SERVED_TEXT))
    truth = PretrainingTruth(exports.in_float32(model), text, options.n_best)
    texts = _texts(options, text, CHECKED - len(EDGES)) + EDGES
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    cases = [case for batch in [*batches, []] for case in truth.cases(batch)]
    report = check_export(newest, options.name, cases)
    left_out = f", and {truth.left_out} gaps left out that float32 cannot rank"
    report["texts"] = f"{len(texts)}{left_out if truth.left_out else ''}"
    return report


def _texts(options, text, number):
    """Spans of the test split as strings with gaps, the same ones each time."""
    batches = pretraining_batches(str(options.output / "examples"), "test", 64)
    random_ = random.Random(options.seed)
    texts = []
    for batch in itertools.islice(batches, -(-number // 64)):
        rows = tf.nest.map_structure(np.asarray, batch)
        texts += [_with_gaps(words(ids, text.names.pieces), random_) for ids in _shown(*rows)]
    return texts[:number]


def _shown(inputs, labels, weights):
    """Ids `(pairs, time)` with what was hidden in them."""
    ids = np.array(inputs["token_ids"])
    hidden = np.nonzero(weights["masked_lm"])
    ids[hidden[0], inputs["positions"][hidden]] = labels["masked_lm"][hidden]
    return ids[weights["next_sentence"] > 0]


def words(ids, pieces):
    """The words that some ids spell, specials left out."""
    found = []
    for index in ids:
        piece = pieces[index]
        if piece in BERT_SPECIALS:
            continue
        if piece.startswith(GLUE) and found:
            found[-1] += piece.removeprefix(GLUE)
        else:
            found.append(piece)
    return found


def _with_gaps(spelled, random_):
    """A text with one gap at least."""
    shown = [MASK if random_.random() < GAP_SHARE else word for word in spelled]
    if MASK not in shown:
        shown[int(random_.random() * len(shown))] = MASK
    return " ".join(shown)
