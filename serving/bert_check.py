"""What `BERTClient` makes of an export's answers, beside its cases."""

from serving.bert_client import BERTClient, main
from serving.cases import cut

CLIENT, PROGRAM, MAIN = BERTClient, "serving/bert_client.py", main


def is_case(inputs, outputs):
    """Whether a case is of a pretrained BERT."""
    return bool({"pooled", "filled", "follows"} & set(outputs))


def _of_gaps(client, case):
    """What the case expects of `BERTClient.fill_mask`, and what it answers."""
    answers = client.fill_mask(case["inputs"]["text"])
    expected = {name: cut(case["outputs"], name) for name in ("pieces", "scores")}
    expected |= {name: case["outputs"][name] for name in ("filled", "truncated")}
    actual = {
        name: [[[pair[at] for pair in gap] for gap in answer.guesses] for answer in answers]
        for at, name in enumerate(("pieces", "scores"))
    }
    actual["filled"] = [answer.text for answer in answers]
    return expected, actual | {"truncated": [answer.truncated for answer in answers]}


def _of_vectors(client, case):
    """What the case expects of `BERTClient.embeddings`, and what it answers."""
    answers, names = client.embeddings(case["inputs"]["text"]), ("pooled", "mean", "truncated")
    expected = {name: case["outputs"][name] for name in names}
    return expected, {name: [getattr(answer, name) for answer in answers] for name in names}


def _of_pairs(client, case):
    """What the case expects of `BERTClient.next_sentence`, and what it answers."""
    sides = [case["inputs"][name] for name in ("text", "text_pair")]
    answers = client.next_sentence(list(zip(*sides, strict=True)))
    expected = {name: case["outputs"][name] for name in ("follows", "truncated")}
    return expected, {name: [getattr(answer, name) for answer in answers] for name in expected}


METHODS = {
    "serving_default": _of_vectors,
    "embeddings": _of_vectors,
    "fill_mask": _of_gaps,
    "next_sentence": _of_pairs,
}
