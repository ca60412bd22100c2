"""The same bytes on every engine: slow, since each preparation reads 20 MB."""

import contextlib
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqnlp.preprocessing import prepare_tagging, prepare_translation
from seqnlp.records import OUTPUT_FORMATS, SPLITS
from tests.preprocessing.small_pairs import pairs
from tests.preprocessing.small_pairs import write as write_pairs

pytestmark = pytest.mark.slow
SHARD_BYTES = 5_100_000

# Beam's job service offers no option for the number of worker processes.
JOB_SERVICE = """
import sys
from apache_beam.runners.portability import local_job_service_main
from apache_beam.runners.portability.fn_api_runner import fn_runner

class TwoWorkers(fn_runner.FnApiRunner):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._num_workers = 2

fn_runner.FnApiRunner = TwoWorkers
local_job_service_main.run(sys.argv[1:])
"""


def write_shard(path, rng):
    """Writes a shard with bad lines and repeated sentences; returns its number of sentences."""
    count = size = 0
    repeated = [f"again{n}\tO\nSeoul\tB-city\n\n" for n in range(50)]
    with open(path, "w", encoding="utf-8") as file:
        while size < SHARD_BYTES:
            tokens = [f"w{int(rng.paretovariate(0.8))}" for _ in range(rng.randint(1, 35))]
            lines = [f"{token}\t{rng.choice(['O', 'O', 'B-city'])}\n" for token in tokens]
            if rng.random() < 0.002:
                lines[0] = "broken\n"
            text = rng.choice(repeated) if rng.random() < 0.05 else "".join(lines) + "\n"
            size += file.write(text)
            count += 1
    return count


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(11)
    paths = [folder / f"part{number}.conll" for number in range(4)]
    return paths, sum(write_shard(path, rng) for path in paths)


@pytest.fixture(scope="module", params=OUTPUT_FORMATS)
def settings(request):
    return {"encoding": "bio", "output_format": request.param}


@pytest.fixture(scope="module")
def expected(corpus, settings, tmp_path_factory):
    output = tmp_path_factory.mktemp("reference") / "out"
    return prepare_tagging(output, corpus[0], **settings), digests(output)


def digests(folder):
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def test_records_out_are_records_in_less_the_rejects(corpus, expected):
    manifest, _ = expected
    rejects = manifest.statistics["rejects"]["count"]
    assert rejects > 50
    assert sum(manifest.records(split) for split in SPLITS) == corpus[1] - rejects


def test_another_order_of_the_files_gives_the_same_bytes(corpus, settings, expected, tmp_path):
    paths = [corpus[0][n] for n in (2, 0, 3, 1)]
    prepare_tagging(tmp_path / "out", paths, **settings)
    assert digests(tmp_path / "out") == expected[1]


def test_two_worker_processes_give_the_same_bytes(corpus, settings, expected, tmp_path):
    options = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    prepare_tagging(tmp_path / "out", corpus[0], **settings, pipeline_options=options)
    assert digests(tmp_path / "out") == expected[1]


@contextlib.contextmanager
def started(*args):
    """A Python process in a group of its own, ended with all that it started."""
    # Beam starts its workers as `python`, whatever that is.
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    process = subprocess.Popen(
        [sys.executable, *args],
        env={**os.environ, "PATH": path},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port():
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


def wait_for(port):
    for _ in range(120):
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
            return
        time.sleep(0.25)
    raise TimeoutError(port)


def test_a_portable_runner_with_two_external_workers_gives_the_same_bytes(
    corpus, settings, expected, tmp_path
):
    jobs, workers = free_port(), free_port()
    pool = "apache_beam.runners.worker.worker_pool_main"
    with (
        started("-c", JOB_SERVICE, "--port", str(jobs)),
        started("-m", pool, "--service_port", str(workers)),
    ):
        wait_for(jobs)
        wait_for(workers)
        options = [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{workers}",
        ]
        prepare_tagging(tmp_path / "out", corpus[0], **settings, pipeline_options=options)
    assert digests(tmp_path / "out") == expected[1]


PREPARE = """
import sys
from seqnlp.preprocessing import prepare_tagging
prepare_tagging(sys.argv[2], sys.argv[3:], encoding="bio", output_format=sys.argv[1])
"""


def test_a_killed_preparation_leaves_no_manifest_and_a_rerun_gives_the_same_bytes(
    corpus, settings, expected, tmp_path
):
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    rng = random.Random(seed)
    program = [sys.executable, "-c", PREPARE, settings["output_format"]]
    args = [*program, str(tmp_path / "out"), *map(str, corpus[0])]
    for _ in range(3):
        process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(4, 16))
        process.kill()
        if process.wait() == 0:
            break
        assert not (tmp_path / "out/manifest.json").exists()
    prepare_tagging(tmp_path / "out", corpus[0], **settings)
    assert digests(tmp_path / "out") == expected[1]


def test_two_worker_processes_give_the_same_bytes_of_parallel_text(settings, tmp_path):
    train = write_pairs(tmp_path, "train", pairs(2000))
    settings = {"output_format": settings["output_format"], "vocabulary_size": 80}
    prepare_translation(tmp_path / "one", train, **settings)
    options = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    prepare_translation(tmp_path / "two", train, **settings, pipeline_options=options)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
