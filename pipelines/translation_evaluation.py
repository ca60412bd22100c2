"""The evaluate stage of `pipelines.translation`."""

import gzip
import json
import lzma
import pathlib

from pipelines import trained_model
from pipelines.evaluation import bless, forget, verdict
from seqnlp import plot
from seqnlp.metrics import (
    alignment_error_rate,
    attention_entropy,
    bleu,
    chrf,
    parse_links,
)
from seqnlp.records import read_manifest, read_pairs

DRAWN = 4  # alignments of the first sentences of the test split
PICTURES = tuple(f"alignment-{number}.png" for number in range(1, DRAWN + 1))
FILES = ("evaluation.json", "errors.txt", "translations.txt", *PICTURES)
SHOWN_ERRORS = 50


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    forget(output, FILES)


def evaluate(options):
    """Scores the test split and writes evaluation.json, pictures, examples and the blessing."""
    manifest = read_manifest(str(options.output / "examples"), task="translation")
    pairs = list(read_pairs(manifest.folder, "test"))
    if not pairs:
        raise ValueError(
            f"{manifest.folder}: expected pairs in the test split. Received: a split without pairs"
        )
    sources, references = map(list, zip(*pairs, strict=True))
    model = options.output / "model.keras"
    translator = _load(model, options)
    answers = {"model": translator.translate(sources), "source, copied": sources}
    if options.previous:
        answers["previous model"] = _load(options.previous, options).translate(sources)
    scores = {
        name: translation_scores(given, references, options.tokenize)
        for name, given in answers.items()
    }
    rivals = [name for name in answers if name != "model"]
    blessed = all(scores["model"]["bleu"] > scores[rival]["bleu"] for rival in rivals)
    report = {"blessed": blessed, "measure": "bleu", "pairs": len(pairs), "scores": scores}
    report |= _attention(translator, sources, references, _links(options, len(pairs)), options)
    if options.also_test:
        report["also"] = _also(translator, options)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    lines = [f"{line}\n" for line in answers["model"]]
    (options.output / "translations.txt").write_text("".join(lines), encoding="utf-8")
    _write_errors(options.output / "errors.txt", sources, references, answers["model"])
    bless(options.output, blessed)
    _print(report)


def _load(path, options):
    from pipelines.translator import Translator  # needs TensorFlow, and training imports this file

    return Translator(
        *trained_model.load_translator(path), options.beam_width, options.length_penalty
    )


def translation_scores(hypotheses, references, tokenize):
    """Scores of translations, with the signatures they can be compared by."""
    cased = bleu(hypotheses, references, tokenize)
    lower = bleu(hypotheses, references, tokenize, lowercase=True)
    characters = chrf(hypotheses, references)
    words = [sum(len(line.split()) for line in side) for side in (hypotheses, references)]
    return {
        "bleu": cased.score,
        "lowercase_bleu": lower.score,
        "chrf": characters.score,
        "length_ratio": words[0] / max(1, words[1]),
        "signatures": {
            "bleu": cased.signature,
            "lowercase_bleu": lower.signature,
            "chrf": characters.signature,
        },
    }


def _links(options, number):
    """Known `(sure, possible)` links of the test pairs, or None."""
    path = options.links
    if path is None and options.train is None:
        path = options.output / "corpus" / "test.links"
    if path is None:
        return None
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    if len(lines) != number:
        raise ValueError(
            f"{path}: expected {number} lines, one a pair of the test split. "
            f"Received: {len(lines)} lines"
        )
    links = []
    for at, line in enumerate(lines, start=1):
        try:
            links.append(parse_links(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {at}: {error}") from None
    return links


def _attention(translator, sources, references, links, options):
    """What the weights of attention say of the true translations, and pictures of them."""
    if not translator.has_attention:
        return {}
    found, entropies, tokens = [], 0.0, 0
    for number, weights in enumerate(translator.attention(sources, references)):
        entropies += attention_entropy(weights.weights) * len(weights.weights)
        tokens += len(weights.weights)
        found.append(weights.links())
        if number < DRAWN:
            known = links[number][0] if links else ()
            picture = _picture(weights, known if weights.is_of_words() else ())
            (options.output / PICTURES[number]).write_bytes(plot.png(picture))
    report = {"attention_entropy": entropies / tokens}
    if links:
        sure, possible = zip(*links, strict=True)
        report["alignment_error_rate"] = alignment_error_rate(sure, possible, found)
    return report


def _picture(weights, links):
    return plot.attention(weights.weights, weights.source, weights.target, links=links)


def _also(translator, options):
    """Scores of another test set, two files of lines."""
    sources, references = (_lines(path) for path in options.also_test)
    if len(sources) != len(references):
        raise ValueError(
            "`--also_test` must name two files of as many lines. Received: "
            f"{options.also_test[0]} of {len(sources)}, {options.also_test[1]} of "
            f"{len(references)} lines"
        )
    hypotheses = translator.translate(sources)
    scores = translation_scores(hypotheses, references, options.tokenize)
    return {"files": options.also_test, "pairs": len(sources), "scores": scores}


def _lines(path):
    opened = {".gz": gzip.open, ".xz": lzma.open}.get(pathlib.Path(path).suffix, open)
    with opened(path, "rt", encoding="utf-8") as file:
        return file.read().removesuffix("\n").split("\n")


def _write_errors(path, sources, references, hypotheses):
    """The translations that are furthest from what is right, by chrF."""
    rows = zip(sources, references, hypotheses, strict=True)
    scored = [(chrf([row[2]], [row[1]]).score, row) for row in rows if row[2] != row[1]]
    scored.sort(key=lambda entry: entry[0])
    lines = [f"# {len(scored)} of {len(sources)} translations differ; the worst by chrF first"]
    for score, (source, reference, hypothesis) in scored[:SHOWN_ERRORS]:
        lines.append(f"\n# {score:.1f}\nsource     {source}\nreference  {reference}")
        lines.append(f"translated {hypothesis}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _print(report):
    print(f"{report['pairs']} pairs of the test split")
    for name, scores in report["scores"].items():
        _print_scores(name, scores)
    if "also" in report:
        _print_scores(" ".join(report["also"]["files"]), report["also"]["scores"])
    for name in ("attention_entropy", "alignment_error_rate"):
        if name in report:
            print(f"{name.replace('_', ' '):>18}: {report[name]:.4f}")
    signature = report["scores"]["model"]["signatures"]["bleu"]
    print(f"{'signature':>18}: {signature}")
    print(verdict(report["blessed"], report["measure"]))


def _print_scores(name, scores):
    listed = ("bleu", "lowercase_bleu", "chrf", "length_ratio")
    print(f"{name:>18}: " + ", ".join(f"{key} {scores[key]:.2f}" for key in listed))
