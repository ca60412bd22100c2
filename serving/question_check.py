"""What `QuestionClient` makes of an export's answers, beside its cases."""

from serving.question_client import QuestionClient, main

CLIENT, PROGRAM, MAIN = QuestionClient, "serving/question_client.py", main


def is_case(inputs, outputs):
    """Whether a case is of a model that answers questions."""
    return "no_answer_scores" in outputs


def _of_questions(client, case):
    """What the case expects of a method of `QuestionClient`, and what that answers."""
    outputs, one = case["outputs"], case["signature"] != "n_best"
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


METHODS = dict.fromkeys(("serving_default", "answer", "n_best"), _of_questions)
