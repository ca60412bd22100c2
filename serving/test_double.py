"""A TEST DOUBLE of tensorflow_model_server: `python -m serving.test_double --model_base_path DIR`.

It stands in where no server binary is at hand: the server's own protos over gRPC, its REST
interface, its error codes, one model, its highest version. It is no server for production: one
Python process, no batching, no reloading, no metrics.

Its process holds TensorFlow and TF Text's ops, and neither Keras nor seqnlp.
"""

import argparse
import pathlib
import signal
import sys
import threading

from serving.bare import bare_tensorflow, present


def parse_arguments(argv):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.test_double",
        description="A test double of tensorflow_model_server; flags are named as the server's.",
    )
    parser.add_argument("--model_base_path", type=pathlib.Path, required=True)
    parser.add_argument("--model_name", help="default: the name of the base folder")
    parser.add_argument("--rest_api_port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--port", type=int, default=0, help="of gRPC; 0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--threads", type=int, default=16, help="of each of REST and gRPC")
    parser.add_argument(
        "--max_body", type=int, default=32 << 20, metavar="BYTES", help="the server has no limit"
    )
    parser.add_argument(
        "--read_timeout", type=float, default=5.0, metavar="SECONDS", help="of a silent client"
    )
    return parser.parse_args(argv)


def load(base_path, model_name):
    """Load the highest version and replay its warm-up requests, as the server does.

    Returns:
        The `Servable`.

    Raises:
        ValueError: No version is there, the export cannot be loaded or a warm-up request fails.
    """
    # TensorFlow comes in here, after Keras has been refused.
    from serving import grpc_server
    from serving.servable import Servable, ServerError, newest_version
    from serving.warmup import read_warmup

    version, folder = newest_version(base_path)
    try:
        servable = Servable(model_name, version, folder)
    except Exception as error:
        raise ValueError(f"{folder} cannot be loaded: {error}") from error
    for index, log in enumerate(read_warmup(folder)):
        try:
            grpc_server.predict(servable, log.predict_log.request, check_spec=False)
        except ServerError as error:
            raise ValueError(f"warm-up request {index} of {folder} failed: {error}") from error
    return servable


def serve(servable, arguments, stop):
    """Serve until `stop` is set.

    Args:
        servable: The `Servable`.
        arguments: The parsed command line.
        stop: A `threading.Event`.
    """
    from serving import grpc_server
    from serving.rest_server import RestServer

    address = (arguments.host, arguments.rest_api_port)
    rest = RestServer(
        servable, address, arguments.threads, arguments.max_body, arguments.read_timeout
    )
    server, port = grpc_server.start(
        servable, arguments.host, arguments.port, arguments.threads, arguments.max_body
    )
    acceptor = threading.Thread(target=rest.serve_forever, kwargs={"poll_interval": 0.1})
    acceptor.start()
    print(
        f"serving {servable.name} version {servable.version} on REST port {rest.server_port},"
        f" gRPC port {port} (test double)",
        flush=True,
    )
    stop.wait()
    rest.shutdown()
    acceptor.join()
    rest.server_close()
    server.stop(grace=2).wait()


def main(argv=None):
    """Run the program and return its exit status."""
    arguments = parse_arguments(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    base_path = arguments.model_base_path.absolute()
    try:
        bare_tensorflow()
        servable = load(base_path, arguments.model_name or base_path.name)
        if found := present():
            raise RuntimeError(f"{', '.join(found)} must not be loaded in this process, but is")
        serve(servable, arguments, stop)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"test double: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
