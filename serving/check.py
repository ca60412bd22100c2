"""Proves an export served: ops, REST, gRPC, TensorFlow 2.20; the server is the test double."""

import importlib.util
import json
import pathlib
import shlex
import shutil
import subprocess
import tempfile

from serving import client_check, conformance
from serving.cases import write_cases
from serving.client import Client, ServingError
from serving.double_process import ROOT, clean_environment, running_double
from serving.op_check import unsupported_ops

PYTHON_220 = ROOT / ".venv-serving220" / "bin" / "python"
NOT_RUN = "not run: make serving220"
_LONGEST_SHOWN = 2000
_TIMEOUT = 300.0  # seconds: what is checked is what is answered, also by a busy machine


class CheckFailed(RuntimeError):
    """The export would not serve; the message says what differs."""


def check_export(version_folder, model_name, cases, python220=None):
    """Check that an export is served and answers as it should, and print one request.

    Args:
        version_folder: The SavedModel's folder, `.../<version>`.
        model_name: Name under which it is served.
        cases: Requests and their expected answers, as `make_case` makes them; at least one.
            They are written beside the export.
        python220: Interpreter with tensorflow 2.20; `.venv-serving220` of the clone when None.

    Returns:
        `{check: what it found}`, in the order of the checks.

    Raises:
        CheckFailed: With a sentence on the first thing that is wrong.
        ValueError: There are no cases.
    """
    if not cases:
        raise ValueError(f"`cases` must hold at least one case. Received: cases={cases}")
    folder = pathlib.Path(version_folder).absolute()
    path = write_cases(folder, cases)
    report = {"export": str(folder), "cases": len(cases), "ops": _check_ops(folder)}
    with tempfile.TemporaryDirectory(prefix="export-") as place:
        # A copy, so that the server has the export and nothing that happens to lie around it.
        base_path = pathlib.Path(place, model_name)
        shutil.copytree(folder, base_path / folder.name)
        try:
            with running_double(base_path, model_name) as double:
                report["server"] = double.start_line
                report.update(_ask(double, model_name, cases))
        except CheckFailed:
            raise
        except (RuntimeError, ServingError, OSError) as error:
            raise CheckFailed(f"{folder} is not served: {error}") from error
    report["tensorflow 2.20"] = _load_220(folder, path, pathlib.Path(python220 or PYTHON_220))
    return report


def _check_ops(folder):
    found = unsupported_ops(folder)
    if found:
        listed = "; ".join(f"{op} ({where})" for op, where in found[:5])
        raise CheckFailed(
            f"{folder} has {len(found)} ops that TensorFlow Serving 2.20 does not know: {listed}"
        )
    return "every op is in TensorFlow Serving 2.20"


def _ask(double, model_name, cases):
    place = {"host": "127.0.0.1", "port": double.rest_port, "model_name": model_name}
    place["timeout"] = _TIMEOUT
    _show(Client(**place), cases[0])
    _show_as_client(double.rest_port, model_name, cases)
    report = {"client": _all_agree("client", client_check.differences(place, cases))}
    target = conformance.Target(f"127.0.0.1:{double.rest_port}", model_name, _TIMEOUT)
    items = list(conformance.check(target, cases))
    for item, wrong in items:
        if wrong:
            raise CheckFailed(f"conformance over REST: {item}: {wrong}")
    report["conformance over REST"] = f"{len(items)} items passed"
    from serving import grpc_check

    address = f"127.0.0.1:{double.grpc_port}"
    wrong = grpc_check.differences(address, model_name, cases, _TIMEOUT)
    report["gRPC"] = _all_agree("gRPC", wrong)
    if importlib.util.find_spec("ovmsclient"):
        wrong = grpc_check.ovms_differences(address, model_name, double.version, cases)
        report["ovmsclient over gRPC"] = _all_agree("ovmsclient over gRPC", wrong)
    else:
        report["ovmsclient over gRPC"] = "not run: pip install ovmsclient"
    return report


def _show(client, case):
    inputs = {name: value[:1] for name, value in case["inputs"].items()}
    answer = client.predict(case["signature"], inputs)
    for title, value in (("request", inputs), ("answer", answer)):
        text = json.dumps(value, ensure_ascii=False)
        cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."
        print(f"{title} ({case['signature']} at {client.host}:{client.port}): {cut}")


def _show_as_client(port, model_name, cases):
    """Asks once more as a person would."""
    command = client_check.command(port, model_name, cases)
    if command is None:
        return
    program, words = command
    print(f"$ python {program}", shlex.join(words), flush=True)
    client_check.PROGRAMS[program](words)


def _all_agree(check, differences):
    count = 0
    for case, wrong in differences:
        if wrong:
            raise CheckFailed(f"{check}: a request to {case['signature']}: {wrong}")
        count += 1
    return f"{count} requests agree"


def _load_220(folder, cases_path, python):
    if not python.exists():
        return NOT_RUN
    with tempfile.TemporaryDirectory(prefix="load-220-") as place:
        done = subprocess.run(
            [python.absolute(), "-m", "serving.load_220", folder, cases_path],
            capture_output=True,
            text=True,
            cwd=place,
            env=clean_environment(place),
            timeout=600,
            check=False,
        )
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        raise CheckFailed(f"TensorFlow 2.20 does not agree: {said}")
    return done.stdout.strip().rpartition("\n")[2]
