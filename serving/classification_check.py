"""What `ClassificationClient` makes of an export's answers, beside its cases."""

from serving.classification_client import ClassificationClient, main

CLIENT, PROGRAM, MAIN = ClassificationClient, "serving/classification_client.py", main


def is_case(inputs, outputs):
    """Whether a case is of a classifier, or of the vectors of pairs."""
    return bool({"label_scores", "value"} & set(outputs)) or "text2" in inputs


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


METHODS = {"serving_default": _of_labels, "embeddings": _of_vectors}
