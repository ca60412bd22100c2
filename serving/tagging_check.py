"""What `TaggingClient` makes of an export's answers, beside its cases."""

from serving.cases import cut
from serving.tagging_client import TaggingClient, main

CLIENT, PROGRAM, MAIN = TaggingClient, "serving/tagging_client.py", main


def is_case(inputs, outputs):
    """Whether a case is of a tagger."""
    return "tags" in outputs or "span_types" in outputs


def _of_tokens(client, case):
    """What the case expects of `TaggingClient.tag_tokens`, and what it answers."""
    rows = zip(case["inputs"]["tokens"], case["inputs"]["lengths"], strict=True)
    answers = client.tag_tokens([tokens[:length] for tokens, length in rows])
    expected = {"tags": cut(case["outputs"], "tags"), "label": _labels(case)}
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
    expected = {name: cut(case["outputs"], name) for name in fields}
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
        "starts": [[row] * k for row, (k, _) in zip(cut(outputs, "starts"), sizes, strict=True)],
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


METHODS = {
    "serving_default": _of_texts,
    "pretokenized": _of_tokens,
    "spans": _of_texts,
    "marginals": _of_texts,
    "k_best": _of_paths,
}
