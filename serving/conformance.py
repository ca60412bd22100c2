"""Checks a running server over TCP: `conformance.py --target HOST:PORT --model NAME`.

The server is tensorflow/serving:2.20.0 or its test double; PORT is of the REST interface. Cases
are JSON lines of `{"signature", "inputs", "outputs"}`, as columns. Standard library only.
"""

import argparse
import http.client
import json
import math
import sys

TOLERANCE = 1e-5


def difference(expected, actual, where="answer"):
    """Return a sentence on the first difference of two JSON values, or None.

    Numbers that are floats on either side may differ by 1e-5, or by this share where they are
    above 1: float32 holds no more of the log probability of a long text. All else must be equal.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        if expected.keys() != actual.keys():
            return f"{where} has keys {sorted(actual)}, expected {sorted(expected)}"
        pairs = [(expected[key], actual[key], f"{where}.{key}") for key in expected]
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{where} has {len(actual)} items, expected {len(expected)}"
        pairs = [(e, a, f"{where}[{i}]") for i, (e, a) in enumerate(zip(expected, actual))]  # noqa: B905
    else:
        return (
            None if _equal(expected, actual) else f"{where} is {actual!r}, expected {expected!r}"
        )
    return next((wrong for pair in pairs if (wrong := difference(*pair))), None)


def _equal(expected, actual):
    numbers = all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in (expected, actual)
    )
    if not numbers or not (isinstance(expected, float) or isinstance(actual, float)):
        return type(expected) is type(actual) and expected == actual
    if math.isnan(expected) and math.isnan(actual):
        return True
    return math.isclose(expected, actual, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def read_cases(path):
    """Read a file of cases.

    Raises:
        ValueError: A line is not a case.
    """
    cases = []
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            try:
                case = json.loads(line)
                valid = {"signature", "inputs", "outputs"} <= case.keys()
            except (ValueError, AttributeError):
                valid = False
            if not valid:
                raise ValueError(
                    f"{path}:{number} must be a JSON object with signature, inputs and outputs"
                )
            cases.append(case)
    return cases


class Target:
    """A server's REST interface and one of its models."""

    def __init__(self, address, model, timeout=60.0):
        self.host, _, port = address.rpartition(":")
        if not self.host or not port.isdecimal():
            raise ValueError(f"`address` must be HOST:PORT. Received: address={address!r}")
        self.port = int(port)
        self.path = f"/v1/models/{model}"
        self.timeout = timeout

    def ask(self, method, path, document=None):
        """Return `(status, JSON or text)`; `document` may be `bytes` or a JSON value."""
        body = document
        if document is not None and not isinstance(document, bytes):
            body = json.dumps(document).encode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "surrogateescape")
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def predict(self, signature, **form):
        """Return `(status, JSON)` of a predict request."""
        document = {"signature_name": signature, **form}
        return self.ask("POST", f"{self.path}:predict", document)


def check_status(target):
    """Yield `(item, what is wrong or None)` of the model's state and metadata."""
    status, answer = target.ask("GET", target.path)
    versions = answer.get("model_version_status", []) if isinstance(answer, dict) else []
    states = [version.get("state") for version in versions]
    yield "the model is available", _unless("AVAILABLE" in states, status, answer)
    if versions:
        status, answer = target.ask("GET", f"{target.path}/versions/{versions[0]['version']}")
        yield "a version has its status", _unless(status == 200, status, answer)


def check_metadata(target, cases):
    """Yield an item for each signature of the cases: its inputs and outputs are listed."""
    status, answer = target.ask("GET", f"{target.path}/metadata")
    try:
        signatures = answer["metadata"]["signature_def"]["signature_def"]
    except (KeyError, TypeError):
        yield "the metadata can be read", _unless(False, status, answer)
        return
    for name, case in {case["signature"]: case for case in cases}.items():
        found = signatures.get(name, {})
        for part in ("inputs", "outputs"):
            listed, expected = sorted(found.get(part, {})), sorted(case[part])
            wrong = None if listed == expected else f"listed {listed}, expected {expected}"
            yield f"the metadata lists the {part} of {name}", wrong


def check_case(target, number, case):
    """Yield the items of one case: asked as columns and, where the batch allows it, as rows."""
    inputs, outputs, name = case["inputs"], case["outputs"], case["signature"]
    status, answer = target.predict(name, inputs=inputs)
    item = f"case {number} of {name}"
    # One tensor alone is answered without its name.
    columns = outputs if len(outputs) > 1 else next(iter(outputs.values()))
    yield f"{item} as columns", _compare({"outputs": columns}, status, answer)
    values = [*inputs.values(), *outputs.values()]
    sizes = {len(value) if isinstance(value, list) else 0 for value in values}
    if len(sizes) != 1 or 0 in sizes:
        return
    status, answer = target.predict(name, instances=_rows(inputs, named=True))
    rows = _rows(outputs, named=len(outputs) > 1)
    yield f"{item} as rows", _compare({"predictions": rows}, status, answer)


def _rows(columns, named):
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return rows if named else [next(iter(row.values())) for row in rows]


def _compare(expected, status, answer):
    return difference(expected, answer) if status == 200 else _unless(False, status, answer)


def _unless(fine, status, answer):
    return None if fine else f"answered {status} {str(answer)[:300]}"


def check_refusals(target, cases):
    """Yield the items on what a server must refuse, and that it still answers afterwards."""
    path, predict = target.path, f"{target.path}:predict"
    requests = [
        ("an unknown model is not found", 404, "POST", f"{path}-no:predict", {"inputs": ["a"]}),
        ("an unknown model has no status", 404, "GET", f"{path}-no", None),
        ("an unknown version is not found", 404, "POST", f"{path}/versions/987654321:predict",
         {"inputs": ["a"]}),
        ("a path of no interface is not found", 404, "GET", "/v2/models", None),
        ("a wrong method is refused", 400, "GET", predict, None),
        ("an unknown verb is refused", 400, "POST", f"{path}:explode", {}),
        ("an empty body is refused", 400, "POST", predict, b""),
        ("broken JSON is refused", 400, "POST", predict, b'{"instances": ["a"'),
        ("a JSON list is refused", 400, "POST", predict, []),
        ("a request without inputs is refused", 400, "POST", predict, {}),
        ("a request with both forms is refused", 400, "POST", predict,
         {"inputs": ["a"], "instances": ["a"]}),
        ("no instances are refused", 400, "POST", predict, {"instances": []}),
        ("an unknown signature is refused", 400, "POST", predict,
         {"signature_name": "no-such", "inputs": ["a"]}),
        ("a signature that is no string is refused", 400, "POST", predict,
         {"signature_name": 1, "inputs": ["a"]}),
    ]  # fmt: skip
    requests += _bad_inputs(predict, cases)
    for item, expected, method, where, document in requests:
        status, answer = target.ask(method, where, document)
        # The HTTP layer itself refuses what is outside /v1, and in HTML.
        worded = where.startswith("/v2") or (isinstance(answer, dict) and "error" in answer)
        yield item, _unless(status == expected and worded, status, answer)


def _bad_inputs(predict, cases):
    for name, case in {case["signature"]: case for case in cases}.items():
        inputs = case["inputs"]
        for key, value in inputs.items():
            rest = {other: inputs[other] for other in inputs if other != key}
            bad = {
                "misses": {"no_such_input": value, **rest},
                "has an object in": {key: [{"a": 1}], **rest},
                "is ragged in": {key: [["a", "b"], ["c"]], **rest},
                "has null in": {key: [None], **rest},
            }
            for word, wrong in bad.items():
                document = {"signature_name": name, "inputs": wrong}
                yield f"{name} that {word} {key} is refused", 400, "POST", predict, document


def check(target, cases):
    """Yield `(item, what is wrong or None)` of the whole suite."""
    yield from check_status(target)
    yield from check_metadata(target, cases)
    for number, case in enumerate(cases):
        yield from check_case(target, number, case)
    yield from check_refusals(target, cases)
    yield from check_status(target)


def main(argv=None):
    """Run the program and return its exit status."""
    parser = argparse.ArgumentParser(description="Check a running server of a model.")
    parser.add_argument("--target", required=True, metavar="HOST:PORT", help="REST interface")
    parser.add_argument("--model", required=True, metavar="NAME")
    parser.add_argument("--cases", metavar="FILE", help="JSON lines of requests and answers")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    arguments = parser.parse_args(argv)
    failed = passed = 0
    try:
        cases = read_cases(arguments.cases) if arguments.cases else []
        target = Target(arguments.target, arguments.model, arguments.timeout)
        for item, wrong in check(target, cases):
            print(f"FAIL {item}: {wrong}" if wrong else f"pass {item}")
            failed, passed = failed + bool(wrong), passed + (not wrong)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = f"{type(error).__name__}: {error}"
        print(f"conformance: {arguments.target} could not be checked: {reason}", file=sys.stderr)
        return 1
    print(f"{passed} passed, {failed} failed on {arguments.target}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
