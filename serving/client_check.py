"""What the clients make of an export's answers, beside its cases."""

from typing import NamedTuple

from serving import question_client, tagging_client, translation_client
from serving.conformance import difference
from serving.question_client import QuestionClient
from serving.tagging_client import TaggingClient
from serving.translation_client import TranslationClient

PROGRAMS = {
    "serving/tagging_client.py": tagging_client.main,
    "serving/translation_client.py": translation_client.main,
    "serving/question_client.py": question_client.main,
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
    kind = next((kind for kind, known in enumerate(_KINDS) if known.has(case)), None)
    if kind is None or not _texts(case):
        return None
    program = list(PROGRAMS)[kind]
    words = ["--port", str(port), "--model", model_name, "--signature", case["signature"]]
    return program, [*words, "\t".join(column[0] for column in _columns(case))]


def differences(place, cases):
    """Yield `(case, what differs or None)` of the cases that a client has a method for.

    Args:
        place: Dict of the arguments of a `Client`.
        cases: Dicts with `signature`, `inputs` and `outputs`.
    """
    for case in cases:
        kind = next((kind for kind in _KINDS if kind.has(case)), None)
        if kind is not None:
            yield case, _difference(case, kind.client(**place), kind.methods)


class _Kind(NamedTuple):
    """The cases of a client: outputs of which they have one, and a function a signature."""

    client: type
    outputs: tuple
    methods: dict

    def has(self, case):
        """Whether a case is one of them."""
        has_answer = any(name in case["outputs"] for name in self.outputs)
        return has_answer and case["signature"] in self.methods


def _columns(case):
    """The lists of the texts of a case."""
    names = ("text", "source", "target", "question", "context")
    return [case["inputs"][name] for name in names if name in case["inputs"]]


def _texts(case):
    return [text for column in _columns(case) for text in column]


def _difference(case, asked, methods):
    if not all(isinstance(text, str) for text in _texts(case)):
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


def _of_questions(client, case):
    """What the case expects of a method of `QuestionClient`, and what that answers."""
    outputs, one = case["outputs"], case["signature"] == "serving_default"
    pairs = list(zip(*(case["inputs"][name] for name in ("question", "context")), strict=True))
    answers = client.answer(pairs) if one else client.n_best(pairs)
    fields = {"answers": "text", "scores": "score", "starts": "start", "ends": "end"}
    paths = [1] * len(pairs) if one else outputs["paths"]
    expected = {
        name: [[row] if one else row[:k] for row, k in zip(outputs[name], paths, strict=True)]
        for name in fields
    }
    actual = {
        name: [[getattr(item, field) for item in answer.answers] for answer in answers]
        for name, field in fields.items()
    }
    rest = {"no_answer_scores": "no_answer_score", "truncated": "truncated"}
    expected |= {name: outputs[name] for name in rest}
    actual |= {name: [getattr(x, field) for x in answers] for name, field in rest.items()}
    return expected, actual


# In the order of `PROGRAMS`.
_KINDS = (
    _Kind(
        TaggingClient,
        ("tags", "span_types"),
        {
            "serving_default": _of_texts,
            "pretokenized": _of_tokens,
            "spans": _of_texts,
            "marginals": _of_texts,
            "k_best": _of_paths,
        },
    ),
    _Kind(
        TranslationClient,
        ("translations", "token_log_probabilities"),
        {"serving_default": _of_translations, "n_best": _of_hypotheses, "score": _of_pairs},
    ),
    _Kind(
        QuestionClient,
        ("no_answer_scores",),
        {"serving_default": _of_questions, "n_best": _of_questions},
    ),
)
