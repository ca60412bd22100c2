"""The evaluate stage of `pipelines.translation`."""

import json

from pipelines import trained_model
from pipelines.evaluation import bless, forget, verdict
from pipelines.translation_files import read_also, read_links
from seqnlp import plot
from seqnlp.metrics import (
    alignment_error_rate,
    attention_entropy,
    bleu,
    chrf,
)
from seqnlp.records import read_manifest, read_pairs

DRAWN, MOST_DRAWN = 4, 60  # alignments of the first test pairs with at most so many pieces
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
    links, also = read_links(options, manifest), read_also(options)
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
    report |= _attention(translator, sources, references, links, options)
    if also is not None:
        found = translation_scores(translator.translate(also[0]), also[1], options.tokenize)
        report["also"] = {"files": options.also_test, "pairs": len(also[0]), "scores": found}
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    lines = [f"{line}\n" for line in answers["model"]]
    (options.output / "translations.txt").write_text("".join(lines), encoding="utf-8")
    _write_errors(options.output / "errors.txt", sources, references, answers["model"])
    bless(options.output, blessed)
    _print(report)


def _load(path, options):
    from pipelines.translator import Translator  # needs TensorFlow, and training imports this file

    settings = options.beam_width, options.length_penalty, options.max_output_length
    return Translator(*trained_model.load_translator(path), *settings)


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


def _attention(translator, sources, references, links, options):
    """What the weights of attention say of the true translations, and pictures of them."""
    if not translator.has_attention:
        return {}
    compared, entropies, tokens, drawn = [], 0.0, 0, 0
    for number, weights in translator.attention(sources, references):
        entropies += attention_entropy(weights.weights) * len(weights.weights)
        tokens += len(weights.weights)
        if links:
            compared.append((*links[number], weights.links()))
        if drawn < DRAWN and max(weights.weights.shape) <= MOST_DRAWN:
            known = links[number][0] if links else ()
            picture = _picture(weights, known if weights.is_of_words() else ())
            (options.output / PICTURES[drawn]).write_bytes(plot.png(picture))
            drawn += 1
    report = {"attention_entropy": entropies / tokens} if tokens else {}
    if compared:
        report["alignment_error_rate"] = alignment_error_rate(*zip(*compared, strict=True))
    return report


def _picture(weights, links):
    return plot.attention(weights.weights, weights.source, weights.target, links=links)


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
