"""The export and check stages of `pipelines.question_answering`."""

import json
import random

from pipelines import exports, trained_model
from pipelines.exports import BATCH, CHECKED, EDGE_STRINGS, SERVED_TEXT, WARM_UP
from pipelines.question_answering_evaluation import REPORT
from pipelines.question_answering_truth import QuestionTruth
from seqnlp.export import question_signatures
from seqnlp.records import read_questions
from seqnlp.text import QuestionText

EDGES = [*EDGE_STRINGS, b"no \xff\xfe UTF-8"]
LONG = "Nothing of this is an answer. " * 400  # many windows
ANSWERING = "assets.extra/answering.json"
MOST_LEFT_OUT = 0.2  # share of the questions


def export(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    exports.check_blessed(options)
    model, text = trained_model.load_answerer(options.output / "model.keras")
    settings = {
        "max_answer_length": options.max_answer_length,
        "n_best": options.n_best,
        "threshold": _threshold(options),
    }
    signatures = question_signatures(model, text, **settings)
    questions, contexts = map(list, zip(*_pairs(options, WARM_UP), strict=True))
    inputs = {"question": questions, "context": contexts}
    requests = [(name, inputs) for name in signatures]
    return exports.write_version(options, model, text, signatures, requests, {ANSWERING: settings})


def _threshold(options):
    """That of the evaluation; None where every question of the eval split has an answer."""
    asked = read_questions(str(options.output / "examples"), "eval")
    if all(question.answers for question in asked):
        return None
    path = options.output / REPORT
    if not path.exists():
        raise ValueError(
            f"{path}: expected the threshold of what is not answered; run the evaluate stage "
            "first. Received: no such file"
        )
    return json.loads(path.read_text())["threshold"]


def _pairs(options, number):
    """Questions and contexts of the test split, the same ones each time."""
    asked = list(read_questions(str(options.output / "examples"), "test"))
    chosen = random.Random(options.seed).sample(asked, min(number, len(asked)))
    return [(question.question, question.context) for question in chosen]


def check(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import CheckFailed, check_export

    newest = exports.newest_version(options)
    model, _ = trained_model.load_answerer(options.output / "model.keras")
    text = QuestionText.load(str(newest / SERVED_TEXT))
    truth = QuestionTruth(model, text, **json.loads((newest / ANSWERING).read_text()))
    pairs = _pairs(options, CHECKED - 2 * len(EDGES) - 2)
    question, context = pairs[0]
    pairs += [(edge, context) for edge in EDGES] + [(question, edge) for edge in EDGES]
    pairs += [(question, LONG + context), ("", "")]
    answers = truth.answers(pairs)
    kept = [item for item in zip(pairs, answers, strict=True) if item[1] is not None]
    if len(kept) < (1 - MOST_LEFT_OUT) * len(pairs):
        raise CheckFailed(
            f"{len(pairs) - len(kept)} of {len(pairs)} questions have answers too close to each "
            "other to be ranked in float32, which nothing can be compared with"
        )
    batches = [kept[at : at + BATCH] for at in range(0, len(kept), BATCH)]
    cases = [case for batch in [*batches, []] for case in _cases(truth, batch)]
    report = check_export(newest, options.name, cases)
    left_out = len(pairs) - len(kept)
    report["questions"] = f"{len(kept)}, and {left_out} left out that float32 cannot rank"
    return report


def _cases(truth, batch):
    from serving.cases import make_case

    pairs, answers = [pair for pair, _ in batch], [answer for _, answer in batch]
    inputs = {
        "question": [question for question, _ in pairs],
        "context": [context for _, context in pairs],
    }
    for name in ("serving_default", "answer"):
        yield make_case(name, inputs, truth.plain(answers))
    yield make_case("n_best", inputs, truth.ranked(answers))
