"""What the clients make of an export's answers, beside its cases."""

from serving import (
    bert_check,
    classification_check,
    question_check,
    tagging_check,
    translation_check,
)
from serving.conformance import difference

# Each client with the methods that its signatures are asked by.
CHECKS = (
    tagging_check,
    translation_check,
    classification_check,
    question_check,
    bert_check,
)
PROGRAMS = {check.PROGRAM: check.MAIN for check in CHECKS}
_SIDES = ("text", "text2", "question", "context")
_SHOWN = ("spans", "n_best", "fill_mask")  # what says most of an answer, where the model has it


def command(port, model_name, cases):
    """Return what a person would type to ask the server of some cases, or None.

    Returns:
        The name of the program, of `PROGRAMS`, and the list of its arguments.
    """
    signatures = [case["signature"] for case in cases]
    shown = next((name for name in _SHOWN if name in signatures), signatures[0])
    case = cases[signatures.index(shown)]
    check = _check_of(case)
    columns = [case["inputs"][name] for name in _SIDES if name in case["inputs"]]
    if check is None or not columns or not columns[0]:
        return None
    words = ["--port", str(port), "--model", model_name, "--signature", case["signature"]]
    return check.PROGRAM, [*words, "\t".join(column[0] for column in columns)]


def differences(place, cases):
    """Yield `(case, what differs or None)` of the cases that a client has a method for.

    Args:
        place: Dict of the arguments of a `Client`.
        cases: Dicts with `signature`, `inputs` and `outputs`.
    """
    clients = {check: check.CLIENT(**place) for check in CHECKS}
    for case in cases:
        check = _check_of(case)
        if check is not None:
            yield case, _difference(case, clients[check], check.METHODS)


def _check_of(case):
    """The one of `CHECKS` whose client answers the case, or None."""
    fitting = (check for check in CHECKS if case["signature"] in check.METHODS)
    sides = case["inputs"], case["outputs"]
    return next((check for check in fitting if check.is_case(*sides)), None)


def _difference(case, client, methods):
    texts = [text for given in case["inputs"].values() for text in given]
    if case["signature"] != "pretokenized" and not all(isinstance(text, str) for text in texts):
        return None  # bytes that are no text: the clients take str alone
    expected, actual = methods[case["signature"]](client, case)
    return difference(expected, actual, "the client's answer")
