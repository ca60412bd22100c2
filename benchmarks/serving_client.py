"""Clients of a server, in a process of their own: `python -m benchmarks.serving_client PLAN`.

PLAN is a JSON file of `protocol`, `port`, `path`, `bodies` (base64) and `threads`. For each line
with a number of seconds on standard input, every thread sends one request after the other for so
long; the answer is a line with a JSON list of all latencies in seconds. Requests come ready-made
and answers are not read into objects, so that the server and not the client is measured.
"""

import base64
import http.client
import json
import pathlib
import sys
import threading
import time


def main(plan):
    """Answers until standard input ends."""
    bodies = [base64.b64decode(body) for body in plan["bodies"]]
    for line in sys.stdin:
        latencies = [[] for _ in range(plan["threads"])]
        clients = [
            threading.Thread(
                target=_ask, args=(plan, bodies[at:] + bodies[:at], float(line), times)
            )
            for at, times in enumerate(latencies)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        print(json.dumps([seconds for times in latencies for seconds in times]), flush=True)


def _ask(plan, bodies, seconds, latencies):
    send, close = CONNECT[plan["protocol"]](plan["port"], plan["path"])
    send(bodies[0])  # opens the connection
    deadline, now = time.perf_counter() + seconds, time.perf_counter()
    while now < deadline:
        started = now
        send(bodies[len(latencies) % len(bodies)])
        now = time.perf_counter()
        latencies.append(now - started)
    close()


def _rest(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def send(body):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"the server answered {response.status}: {answer[:200]!r}")
        return answer

    return send, connection.close


def _grpc(port, path):
    import grpc

    options = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
    return channel.unary_unary(path), channel.close


CONNECT = {"rest": _rest, "grpc": _grpc}

if __name__ == "__main__":
    main(json.loads(pathlib.Path(sys.argv[1]).read_text()))
