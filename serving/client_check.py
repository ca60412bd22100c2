"""What the clients make of an export's answers, beside its cases."""

from serving import classification_client, tagging_client, translation_client
from serving.classification_client import ClassificationClient
from serving.conformance import difference
from serving.tagging_client import TaggingClient
from serving.translation_client import TranslationClient

PROGRAMS = {
    "serving/tagging_client.py": tagging_client.main,
    "serving/translation_client.py": translation_client.main,
    "serving/classification_client.py": classification_client.main,
}
_SHOWN = ("spans", "n_best")  # what says most of an answer, where the model has it


def command(port, model_name, cases):
    """Return what a person would type to ask the server of some cases, or None.

    Returns:
        The name of the program, of `PROGRAMS`, and the list of its arguments.
    """
    signatures = [case["signature"] for case in cases]
    shown = next((name for name in _SHOWN if name in signatures), signatures[0])
    case = cases[signatures.index(shown)]
    inputs, kinds = case["inputs"], (_is_of_tagger, _is_of_translator, _is_of_classifier)
    known = [program for program, kind in zip(PROGRAMS, kinds, strict=True) if kind(case)]
    if not (inputs.get("text") and known):
        return None
    words = ["--port", str(port), "--model", model_name, "--signature", case["signature"]]
    texts = [inputs[name][0] for name in ("text", "text2") if name in inputs]
    return known[0], [*words, "\t".join(texts)]


def differences(place, cases):
    """Yield `(case, what differs or None)` of the cases that a client has a method for.

    Args:
        place: Dict of the arguments of a `Client`.
        cases: Dicts with `signature`, `inputs` and `outputs`.
    """
    tagger, translator = TaggingClient(**place), TranslationClient(**place)
    classifier = ClassificationClient(**place)
    for case in cases:
        if _is_of_translator(case):
            yield case, _difference(case, translator, _TRANSLATOR)
        elif _is_of_tagger(case):
            yield case, _difference(case, tagger, _TAGGER)
        elif _is_of_classifier(case):
            yield case, _difference(case, classifier, _CLASSIFIER)


def _is_of_tagger(case):
    has_answer = "tags" in case["outputs"] or "span_types" in case["outputs"]
    return has_answer and case["signature"] in _TAGGER


def _is_of_translator(case):
    columns = ("translations", "token_log_probabilities")
    has_answer = any(name in case["outputs"] for name in columns)
    return has_answer and case["signature"] in _TRANSLATOR


def _is_of_classifier(case):
    columns, outputs = {"label_scores", "value", "pooled"}, case["outputs"].keys()
    has_answer = columns & outputs and not {"tags", "span_types"} & outputs
    return bool(has_answer) and case["signature"] in _CLASSIFIER


def _difference(case, asked, methods):
    texts = [
        text
        for name in ("text", "text2", "source", "target")
        for text in case["inputs"].get(name, [])
    ]
    if not all(isinstance(text, str) for text in texts):
        return None  # bytes that are no text: the clients take str alone
    expected, actual = methods[case["signature"]](asked, case)
    return difference(expected, actual, "the client's answer")


def _of_tokens(client, case):
    """What the case expects of `TaggingClient.tag_tokens`, and what it answers."""
    rows = zip(case["inputs"]["tokens"], case["inputs"]["lengths"], strict=True)
    answers = client.tag_tokens([tokens[:length] for tokens, length in rows])
    expected = {"tags": _cut(case["outputs"], "tags"), "label": _labels(case)}
    return expected, {name: [getattr(answer, name) for answer in answers] for name in expected}


def _of_texts(client, case):
    """What the case expects of the method of its signature, and what that answers."""
    signature, texts = case["signature"], case["inputs"]["text"]
    if signature == "spans":
        answers = client.spans(texts)
        rows = [answer.spans for answer in answers]
        fields = {"span_types": "type", "scores": "score", "span_starts": "start"}
        fields["span_ends"] = "end"
    else:
        answers = client.marginals(texts) if signature == "marginals" else client.tag(texts)
        rows = [answer.tokens for answer in answers]
        fields = {"tags": "tag", "starts": "start", "ends": "end"}
    expected = {name: _cut(case["outputs"], name) for name in fields}
    actual = {
        name: [[getattr(item, field) for item in row] for row in rows]
        for name, field in fields.items()
    }
    labels = [answer.label for answer in answers]
    return {"label": _labels(case), **expected}, {"label": labels, **actual}


def _of_paths(client, case):
    """What the case expects of `TaggingClient.k_best`, and what it answers."""
    outputs = case["outputs"]
    answers = client.k_best(case["inputs"]["text"])
    sizes = list(zip(outputs["paths"], outputs["lengths"], strict=True))
    expected = {
        "label": _labels(case),
        "scores": [row[:k] for row, (k, _) in zip(outputs["scores"], sizes, strict=True)],
        "tags": [
            [path[:length] for path in row[:k]]
            for row, (k, length) in zip(outputs["tags"], sizes, strict=True)
        ],
        "starts": [[row] * k for row, (k, _) in zip(_cut(outputs, "starts"), sizes, strict=True)],
    }
    actual = {
        "label": [ranked[0].label for ranked in answers],
        "scores": [[one.log_probability for one in ranked] for ranked in answers],
        "tags": [[[t.tag for t in one.tokens] for one in ranked] for ranked in answers],
        "starts": [[[t.start for t in one.tokens] for one in ranked] for ranked in answers],
    }
    return expected, actual


def _labels(case):
    return case["outputs"].get("label", [None] * len(case["outputs"]["lengths"]))


def _cut(outputs, name):
    rows = zip(outputs[name], outputs["lengths"], strict=True)
    return [row[:length] for row, length in rows]


def _of_translations(client, case):
    """What the case expects of `TranslationClient.translate`, and what it answers."""
    outputs = case["outputs"]
    fields = {"translations": "text", "scores": "score", "finished": "finished"}
    fields["truncated"] = "truncated"
    answers = client.translate(case["inputs"]["text"])
    expected = {name: outputs[name] for name in fields}
    actual = {name: [getattr(x, field) for x in answers] for name, field in fields.items()}
    return expected, actual


def _of_hypotheses(client, case):
    """What the case expects of `TranslationClient.n_best`, and what it answers."""
    outputs, answers = case["outputs"], client.n_best(case["inputs"]["text"])
    expected, actual = [], []
    for row, answer in enumerate(answers):
        source = outputs["source_lengths"][row]
        for at in range(outputs["paths"][row]):
            length = outputs["lengths"][row][at]
            columns = [outputs[name][row][at] for name in ("translations", "scores", "finished")]
            alignment = None
            if "alignments" in outputs:
                weights = outputs["alignments"][row][at][:length]
                alignment = [each[:source] for each in weights]
            expected.append([*columns, outputs["pieces"][row][at][:length], alignment])
        actual += [list(hypothesis) for hypothesis in answer.hypotheses]
        expected.append([outputs["source_pieces"][row][:source], outputs["truncated"][row]])
        actual.append([answer.pieces, answer.truncated])
    return expected, actual


def _of_pairs(client, case):
    """What the case expects of `TranslationClient.score`, and what it answers."""
    sides = [case["inputs"][name] for name in ("source", "target")]
    answers = client.score(list(zip(*sides, strict=True)))
    columns = ("pieces", "token_log_probabilities")
    expected = {name: _cut(case["outputs"], name) for name in columns}
    expected |= {name: case["outputs"][name] for name in ("log_probabilities", "truncated")}
    actual = {name: [getattr(answer, name) for answer in answers] for name in columns}
    actual["log_probabilities"] = [answer.log_probability for answer in answers]
    return expected, actual | {"truncated": [answer.truncated for answer in answers]}


def _of_labels(client, case):
    """What the case expects of `ClassificationClient.classify`, and what it answers."""
    outputs = case["outputs"]
    answers = client.classify(_rows(case))
    fields = [name for name in ("label", "value", "truncated") if name in outputs]
    expected = {name: outputs[name] for name in fields}
    actual = {name: [getattr(answer, name) for answer in answers] for name in fields}
    if "label" in outputs:
        rows = zip(outputs["label_names"], outputs["label_scores"], strict=True)
        expected["label_scores"] = [dict(zip(*row, strict=True)) for row in rows]
        actual["label_scores"] = [answer.label_scores for answer in answers]
    return expected, actual


def _of_vectors(client, case):
    """What the case expects of `ClassificationClient.embed`, and what it answers."""
    fields, answers = ("pooled", "mean", "truncated"), client.embed(_rows(case))
    actual = {name: [getattr(answer, name) for answer in answers] for name in fields}
    return {name: case["outputs"][name] for name in fields}, actual


def _rows(case):
    columns = [case["inputs"][name] for name in ("text", "text2") if name in case["inputs"]]
    return list(zip(*columns, strict=True))


_TAGGER = {
    "serving_default": _of_texts,
    "pretokenized": _of_tokens,
    "spans": _of_texts,
    "marginals": _of_texts,
    "k_best": _of_paths,
}
_TRANSLATOR = {
    "serving_default": _of_translations,
    "n_best": _of_hypotheses,
    "score": _of_pairs,
}
_CLASSIFIER = {"serving_default": _of_labels, "embeddings": _of_vectors}
