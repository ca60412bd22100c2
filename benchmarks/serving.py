"""The served tagger: requests a second and latency of the test double, and the graph alone.

`--export DIR` is the folder of an export's versions, `--by rest|grpc|graph` the way to ask.
Requests hold one text. The clients are processes of their own, on the same processors.
"""

import argparse
import atexit
import base64
import contextlib
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 - its ops are in the export

from benchmarks.serving_client import CONNECT
from benchmarks.serving_messages import MESSAGES, MODEL
from benchmarks.timing import Case, Work, main
from seqnlp.samples import travel
from seqnlp.text import TaggingText
from serving.double_process import running_double

CLIENTS = (1, 16)
PROCESSES = 2  # that the clients share
SECONDS, TEXTS, CALLS = 2.0, 100, 30


def cases(export, by):
    """Throughput and latency for each number of clients, and what tokenising takes of it."""
    for clients in CLIENTS:
        if by != "graph" or clients == 1:
            name = f"serving, {clients} client{'s' * (clients > 1)}"
            for metric, unit, figure in METRICS:
                make = functools.partial(requests, export, by, clients, unit, figure)
                yield Case(name, metric, make)
    if by == "graph":
        for size in (1, 32):
            make = functools.partial(tokenising, export, size)
            yield Case("served graph", f"tokenising, batch {size}", make)


METRICS = (
    ("throughput", "requests/s", lambda latencies: len(latencies) / SECONDS),
    ("latency, median", "ms", lambda latencies: 1e3 * np.quantile(latencies, 0.5)),
    ("latency, 99 %", "ms", lambda latencies: 1e3 * np.quantile(latencies, 0.99)),
)


def requests(export, by, clients, unit, figure):
    """`SECONDS` of requests, one after the other from every client."""
    if by == "graph":
        call, tags = _graph_alone(export)
    else:
        call, tags = _server(export, by, clients)
    characters = np.frombuffer("\n".join(tags).encode(), "uint8").astype("float64")
    return Work(call, lambda _: {"tags": characters}, unit=unit, long=True, figure=figure)


def tokenising(export, size):
    """Per cent of the signature's time that strings take to become the model's inputs."""
    signature = _signature(export)
    text = TaggingText.load(str(_newest(export) / "assets.extra" / "text"))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def tokenise(strings):
        tokens, _, _ = text.tokenizer.tokenize_with_offsets(strings)
        return text.inputs(text.truncate(tokens)[0])

    strings = tf.constant((_texts() * size)[:size])

    def call():
        spent = {signature: 0.0, tokenise: 0.0}
        for _ in range(CALLS):
            for function in spent:
                started = time.perf_counter()
                function(strings)
                spent[function] += time.perf_counter() - started
        return 100 * spent[tokenise] / spent[signature]

    return Work(
        call, lambda share: {"share": np.array(share)}, unit="%", figure=lambda share: share
    )


def _graph_alone(export):
    signature, texts = _signature(export), _texts()
    batches = [tf.constant([text]) for text in texts]

    def call():
        latencies, deadline = [], time.perf_counter() + SECONDS
        while time.perf_counter() < deadline:
            started = time.perf_counter()
            signature(batches[len(latencies) % len(batches)])
            latencies.append(time.perf_counter() - started)
        return latencies

    return call, [tag.decode() for tag in signature(batches[0])["tags"].numpy()[0]]


def _server(export, by, clients):
    double, messages = _double(export), MESSAGES[by]
    port = {"rest": double.rest_port, "grpc": double.grpc_port}[by]
    bodies = [messages.body(text) for text in _texts()]
    plan = {"protocol": by, "port": port, "path": messages.path}
    plan["bodies"] = [base64.b64encode(body).decode() for body in bodies]
    processes = _clients(plan, min(clients, PROCESSES), clients)

    def call():
        for process in processes:
            process.stdin.write(f"{SECONDS}\n")
            process.stdin.flush()
        answers = [process.stdout.readline() for process in processes]
        return [seconds for answer in answers for seconds in json.loads(answer)]

    send, close = CONNECT[by](port, messages.path)
    tags = messages.tags(send(bodies[0]))
    close()
    return call, tags


def _clients(plan, number, clients):
    """Started client processes that share `clients` threads."""
    folder = _until_the_end(tempfile.TemporaryDirectory())
    processes = []
    for index in range(number):
        threads = clients // number + (index < clients % number)
        path = pathlib.Path(folder, f"plan-{index}.json")
        path.write_text(json.dumps({**plan, "threads": threads}))
        command = [sys.executable, "-m", "benchmarks.serving_client", str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes.append(_until_the_end(subprocess.Popen(command, **pipes)))
    return processes


_open = contextlib.ExitStack()
atexit.register(_open.close)


def _until_the_end(manager):
    return _open.enter_context(manager)


@functools.cache
def _double(export):
    return _until_the_end(running_double(export, MODEL))


def _newest(export):
    versions = [path for path in export.iterdir() if path.name.isdecimal()]
    return max(versions, key=lambda path: int(path.name))


@functools.cache
def _signature(export):
    loaded = tf.saved_model.load(str(_newest(export)))
    function = loaded.signatures["serving_default"]
    function.model = loaded  # its variables live as long as it does
    return lambda strings: function(text=strings)


@functools.cache
def _texts():
    return [request.text for request in travel("test")[:TEXTS]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--export", type=pathlib.Path, required=True)
    parser.add_argument("--by", choices=("rest", "grpc", "graph"), default="graph")
    options, _ = parser.parse_known_args()
    main(cases(options.export, options.by), ["tensorflow", "tensorflow-text", "grpcio"])
