"""The evaluate stage of `pipelines.question_answering`."""

import json
import statistics

import numpy as np

from pipelines import trained_model
from pipelines.evaluation import bless, forget, verdict
from seqnlp import plot
from seqnlp.callbacks import choose_threshold, find_answers, found_scores
from seqnlp.metrics import answer_scores, with_threshold
from seqnlp.records import read_manifest, read_questions

REPORT, ERRORS, PICTURE = "evaluation.json", "errors.txt", "probabilities.png"
FILES = (REPORT, ERRORS, PICTURE)
SHOWN_ERRORS = 50
MOST_DRAWN = 120  # pieces of a context


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    forget(output, FILES)


def evaluate(options):
    """Scores the test split and writes evaluation.json, a picture, errors and the blessing."""
    manifest = read_manifest(str(options.output / "examples"), task="question_answering")
    splits = {split: list(read_questions(manifest.folder, split)) for split in ("eval", "test")}
    right = [asked.answers for asked in splits["test"]]
    model, text = trained_model.load_answerer(options.output / "model.keras")
    given, threshold, found = answers_of(model, text, splits, options)
    answers = {"model": given, **_rivals(manifest, splits["test"])}
    if options.previous:
        previous = trained_model.load_answerer(options.previous)
        answers["previous model"], _, _ = answers_of(*previous, splits, options)
    scores = {name: answer_scores(x, right, options.scores) for name, x in answers.items()}
    rivals = [name for name in answers if name != "model"]
    blessed = all(scores["model"]["f1"] > scores[rival]["f1"] for rival in rivals)
    report = {
        "blessed": blessed,
        "measure": "f1",
        "counting": options.scores,
        "threshold": threshold,
        "questions": len(right),
        "scores": scores,
    }
    if threshold is not None:
        report["best_threshold"] = _with_hindsight(found, right, options.scores)
    (options.output / REPORT).write_text(json.dumps(report, indent=1) + "\n")
    _write_errors(options.output / ERRORS, splits["test"], given, options.scores)
    _draw(options.output / PICTURE, model, text, splits["test"])
    bless(options.output, blessed)
    _print(report)


def answers_of(model, text, splits, options):
    """The answers of a model with its own text to the test split.

    Args:
        model: A `BERTSpanExtractor`.
        text: Its `QuestionText`.
        splits: Dict from `eval` and `test` to lists of questions.
        options: Of the pipeline.

    Returns:
        List of `str`; the threshold, chosen by the eval split, above which there is none; and
        list of `FoundAnswer`.
    """
    from pipelines.question_windows import in_windows  # needs TensorFlow

    def found(questions):
        pairs = [(asked.question, asked.context) for asked in questions]
        asked, batches = in_windows(text, pairs, options.batch_size)
        return find_answers(model, batches, asked, options.max_answer_length)

    threshold = None
    right = [asked.answers for asked in splits["eval"]]
    if not all(right):
        threshold = choose_threshold(found(splits["eval"]), right, options.scores)
    best = found(splits["test"])
    texts, margins = [answer.text for answer in best], [answer.margin for answer in best]
    return with_threshold(texts, margins, threshold), threshold, best


def _rivals(manifest, questions):
    """Dict of what needs no model: lists of answers."""
    rivals = {"first words": first_words(read_questions(manifest.folder, "train"), questions)}
    if not all(asked.answers for asked in questions):
        rivals["no answer"] = [""] * len(questions)
    return rivals


def first_words(training, questions):
    """The baseline: as many words that a context begins with as an answer in training has.

    Args:
        training: Iterable of questions with `answers`.
        questions: List of questions with `context`.

    Returns:
        List of `str`.
    """
    numbers = [len(asked.answers[0].split()) for asked in training if asked.answers]
    number = max(1, round(statistics.median(numbers)))
    return [" ".join(asked.context.split()[:number]) for asked in questions]


def _with_hindsight(found, right, counting):
    """The best threshold for the test split itself and its scores, as SQuAD 2.0 reports them."""
    threshold = choose_threshold(found, right, counting)
    if threshold is None:
        return None
    return {"threshold": threshold, **found_scores(found, right, threshold, counting)}


def _write_errors(path, questions, answers, counting):
    """The wrong answers, those with the lowest F1 first."""
    wrong = []
    for asked, answer in zip(questions, answers, strict=True):
        scores = answer_scores([answer], [asked.answers], counting)
        if scores["exact_match"] < 100:
            wrong.append((scores["f1"], asked, answer))
    wrong.sort(key=lambda entry: entry[0])
    lines = [f"# {len(wrong)} of {len(questions)} answers are wrong; those of lowest F1 first"]
    for f1, asked, answer in wrong[:SHOWN_ERRORS]:
        right = " | ".join(dict.fromkeys(asked.answers)) or "(none)"
        lines.append(f"\n# {asked.id}, F1 {f1:.1f}\nquestion {asked.question}")
        lines.append(f"right    {right}\nanswered {answer or '(none)'}")
        lines.append(f"context  {' '.join(asked.context.split())}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _draw(path, model, text, questions):
    """Where the answer to the first question with one may start and end in its first window."""
    from pipelines.question_windows import in_windows

    asked = next(asked for asked in questions if asked.answers)
    (read,), (batch, *_) = in_windows(text, [(asked.question, asked.context)], 1)
    window, context = read.windows[0], asked.context.encode()
    first, number = window.first_length, min(len(window.starts), MOST_DRAWN)
    outputs = model.predict_on_batch(batch[0])
    probabilities = {}
    for name in ("start", "end"):
        logits = np.asarray(outputs[name][0], "float64")
        chances = np.exp(logits - logits.max())
        probabilities[name] = (chances / chances.sum())[first : first + number]
    spans = list(zip(window.starts[:number], window.ends[:number], strict=True))
    begin = context.find(asked.answers[0].encode())
    end = begin + len(asked.answers[0].encode())
    marked = [at for at, (a, b) in enumerate(spans) if a < end and b > begin]
    pieces = [context[a:b].decode() for a, b in spans]
    path.write_bytes(plot.png(plot.places(pieces, probabilities, asked.question, marked)))


def _print(report):
    print(f"{report['questions']} questions of the test split, counted as {report['counting']}")
    if report["threshold"] is not None:
        print(f"no answer above the threshold {report['threshold']:.4f}, chosen by the eval split")
    for name, scores in report["scores"].items():
        listed = ", ".join(f"{key} {value:.2f}" for key, value in scores.items())
        print(f"{name:>18}: {listed}")
    print(verdict(report["blessed"], report["measure"]))
