"""The export and check stages of `pipelines.translation`."""

import itertools
import json
import random

from pipelines import exports, trained_model
from pipelines.exports import CHECKED, EDGE_STRINGS, SERVED_TEXT, WARM_UP
from pipelines.translation_truth import TranslationTruth
from seqnlp.export import translation_signatures
from seqnlp.records import read_pairs
from seqnlp.text import TranslationText

EDGES = [*EDGE_STRINGS, "한국어 " * 10_000, b"no \xff\xfe UTF-8"]
TOGETHER = (1, 2, 4, 8, 16, 32, 64)  # texts of the first requests; then the most of them
LONG = 300  # bytes of a text that is asked alone: answers are as wide as their longest
DECODING = "assets.extra/decoding.json"
MOST_LEFT_OUT = 0.1  # share of the texts


def export(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    exports.check_blessed(options)
    model, text = _load(options)
    if text.max_length is None:
        text = TranslationText(text.source, text.target, options.max_length + 1)  # and the end
    settings = {
        "max_length": options.max_output_length,
        "beam_width": options.beam_width,
        "length_penalty": options.length_penalty,
        "n_best": options.n_best,
    }
    signatures = translation_signatures(model, text, **settings)
    sources, targets = _sides(options, WARM_UP)
    requests = [
        ("serving_default", {"text": sources}),
        ("n_best", {"text": sources}),
        ("score", {"source": sources, "target": targets}),
    ]
    return exports.write_version(options, model, text, signatures, requests, {DECODING: settings})


def _load(options):
    model, text = trained_model.load_translator(options.output / "model.keras")
    return exports.in_float32(model), text


def _sides(options, number):
    """Sources and targets of the test split, the same ones each time."""
    pairs = list(read_pairs(str(options.output / "examples"), "test"))
    chosen = random.Random(options.seed).sample(pairs, min(number, len(pairs)))
    return list(map(list, zip(*chosen, strict=True)))


def check(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import CheckFailed, check_export

    newest = exports.newest_version(options)
    model, _ = _load(options)
    text = TranslationText.load(str(newest / SERVED_TEXT))
    truth = TranslationTruth(model, text, **json.loads((newest / DECODING).read_text()))
    sources, targets = _sides(options, CHECKED - len(EDGES))
    sources, targets = sources + EDGES, targets + EDGES[::-1]
    answered = {}
    for batch in asked_together(sources):
        answered |= dict(zip(batch, truth.answers(batch), strict=True))
    left_out = [source for source, answer in answered.items() if answer is None]
    if len(left_out) > MOST_LEFT_OUT * len(answered):
        raise CheckFailed(
            f"{len(left_out)} of {len(answered)} texts have translations too close to each other "
            "to be ranked in float32, which nothing can be compared with"
        )
    kept = {source: answer for source, answer in answered.items() if answer is not None}
    requests = [*asked_together(kept), []]
    cases = [case for texts in requests for case in _translated(truth, texts, kept)]
    pairs = dict(zip(sources, targets, strict=True))
    cases += [_scored(truth, batch, pairs) for batch in asked_together(pairs)]
    report = check_export(newest, options.name, cases)
    report["texts"] = f"{len(kept)}, and {len(left_out)} left out that float32 cannot rank"
    return report


def asked_together(texts):
    """Lists of texts, from one to 64, that are asked together; long ones are asked alone."""
    texts = list(dict.fromkeys(texts))
    short = [text for text in texts if isinstance(text, str) and len(text.encode()) <= LONG]
    starts, sizes = [0], iter(TOGETHER)
    while starts[-1] < len(short):
        starts.append(starts[-1] + next(sizes, TOGETHER[-1]))
    batches = [short[start:end] for start, end in itertools.pairwise(starts)]
    return batches + [[text] for text in texts if text not in short]


def _translated(truth, texts, answers):
    from serving.cases import make_case

    columns = truth.columns([answers[text] for text in texts])
    names = ("translations", "scores", "lengths", "finished")
    plain = {name: [row[0] for row in columns[name]] for name in names}
    plain["truncated"] = columns["truncated"]
    yield make_case("serving_default", {"text": texts}, plain)
    yield make_case("n_best", {"text": texts}, columns)


def _scored(truth, sources, pairs):
    from serving.cases import make_case

    targets = [pairs[source] for source in sources]
    inputs = {"source": sources, "target": targets}
    return make_case("score", inputs, truth.scored(sources, targets))
