"""What `TranslationClient` makes of an export's answers, beside its cases."""

from serving.cases import cut
from serving.translation_client import TranslationClient, main

CLIENT, PROGRAM, MAIN = TranslationClient, "serving/translation_client.py", main


def is_case(inputs, outputs):
    """Whether a case is of a translator."""
    return "translations" in outputs or "token_log_probabilities" in outputs


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
    expected = {name: cut(case["outputs"], name) for name in columns}
    expected |= {name: case["outputs"][name] for name in ("log_probabilities", "truncated")}
    actual = {name: [getattr(answer, name) for answer in answers] for name in columns}
    actual["log_probabilities"] = [answer.log_probability for answer in answers]
    return expected, actual | {"truncated": [answer.truncated for answer in answers]}


METHODS = {"serving_default": _of_translations, "n_best": _of_hypotheses, "score": _of_pairs}
