import re
import shutil
import subprocess
import sys

import pytest

from serving import test_double
from serving.double_process import clean_environment, running_double
from serving.warmup import FILE


@pytest.fixture
def copy(export, tmp_path):
    folder = tmp_path / "tagger" / "3"
    shutil.copytree(export, folder)
    return folder


def fail_to_start(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "serving.test_double", *map(str, arguments)],
        env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def test_the_line_of_start_says_what_it_is(double):
    pattern = r"serving tagger version 3 on REST port \d+, gRPC port \d+ \(test double\)"
    assert re.fullmatch(pattern, double.start_line)


def mapped_files(process_id):
    with open(f"/proc/{process_id}/maps") as maps:
        return {line.split()[-1] for line in maps}


def test_its_process_never_loaded_what_keras_loads(double):
    import keras  # noqa: F401  # so that this process shows what an import of Keras maps

    def holds(process_id, package):
        return any(f"/{package}/" in path for path in mapped_files(process_id))

    assert holds("self", "optree")
    assert not holds(double.process.pid, "optree")
    assert holds(double.process.pid, "tensorflow_text")


def test_the_highest_version_is_served_and_a_signal_ends_it(copy):
    shutil.copytree(copy, copy.parent / "12")
    with running_double(copy.parent, "tagger") as double:
        assert double.version == 12
    assert double.process.returncode == 0


def test_no_version_is_a_sentence(tmp_path):
    assert fail_to_start(tmp_path, "--model_base_path", tmp_path) == (
        "test double: `base_path` must hold a folder with a number for a name and a"
        f" saved_model.pb inside. Received: base_path={tmp_path}"
    )


@pytest.mark.slow
def test_a_taken_port_is_a_sentence(double, copy, tmp_path):
    arguments = ("--model_base_path", copy.parent, "--rest_api_port", double.rest_port)
    said = fail_to_start(tmp_path, *arguments)
    assert said == "test double: [Errno 98] Address already in use"


def test_a_warmup_request_that_fails_fails_the_start(copy):
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "no"
    write_records(copy / FILE, [log.SerializeToString()])
    with pytest.raises(ValueError, match='warm-up request 0 of .*3 failed: .*"no" not found'):
        test_double.load(copy.parent, "tagger")


def test_more_than_1000_warmup_requests_fail_the_start(copy):
    write_records(copy / FILE, [b""] * 1001)
    with pytest.raises(ValueError, match="must hold at most 1000 requests, but has 1001"):
        test_double.load(copy.parent, "tagger")


def test_an_export_that_cannot_be_loaded_fails_the_start(copy):
    next((copy / "variables").glob("*.index")).unlink()
    with pytest.raises(ValueError, match=f"{copy} cannot be loaded"):
        test_double.load(copy.parent, "tagger")


def write_records(path, records):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
