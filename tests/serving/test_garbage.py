import concurrent.futures
import json
import random
import socket
import struct

import pytest

SEED = 20
CLIENTS = 64
REQUESTS = 10_000
GOOD = json.dumps({"inputs": ["Anna met Jo at 12"]}).encode()
PREDICT = b"/v1/models/tagger:predict"


def http(body, path=PREDICT, method=b"POST", length=None):
    length = len(body) if length is None else length
    return b"%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        method, path, length, body)  # fmt: skip


def random_bytes(chance):
    return chance.randbytes(chance.randrange(1, 400)) + b"\r\n\r\n"


def random_body(chance):
    return http(chance.randbytes(chance.randrange(0, 400)))


def broken_json(chance):
    body = bytearray(GOOD)
    for _ in range(chance.randrange(1, 4)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return http(bytes(body[: chance.randrange(1, len(body) + 1)]))


def truncated_body(chance):
    return http(GOOD[: chance.randrange(len(GOOD))], length=len(GOOD))


def wrong_types(chance):
    values = [None, 1, -1.5, True, [], {}, [[]], {"b64": 3}, {"b64": "%"}, 1e999, 2**70, "a"]
    value = chance.choice(values)
    for _ in range(chance.randrange(4)):
        value = chance.choice([[value], [value, 1], {"text": value}])
    document = {chance.choice(["inputs", "instances", "x"]): value}
    if chance.random() < 0.5:
        signatures = ["spans", "pretokenized", "marginals", "", "no", 7, None]
        document["signature_name"] = chance.choice(signatures)
    return http(json.dumps(document).encode())


def deep_nesting(chance):
    depth = chance.choice([20, 900, 2000, 50000])
    return http(b'{"inputs": ' + b"[" * depth + b"]" * chance.choice([0, depth]) + b"}")


def huge_numbers(chance):
    digits = b"9" * chance.choice([20, 400, 5000])
    body = b'{"signature_name": "pretokenized", "inputs": {"tokens": [["a"]], "lengths": [%s]}}'
    return http(body % digits)


def odd_lengths(chance):
    lengths = [chance.randrange(-5, 99) for _ in range(chance.randrange(4))]
    inputs = {"tokens": [["a", "B"]] * chance.randrange(4), "lengths": lengths}
    return http(json.dumps({"signature_name": "pretokenized", "inputs": inputs}).encode())


def wrong_path(chance):
    paths = [b"/", b"/v1", b"/v1/models/", b"/v1/models/no:predict", b"/v1/models/tagger/labels/x",
             b"/v1/models/tagger/versions/99:predict", b"/v1/models/%FF%00:predict", b"*",
             b"/v1/models/tagger:classify", b"/" + b"a" * 70000]  # fmt: skip
    methods = [b"GET", b"POST", b"PUT", b"DELETE", b"BREW", b"HEAD", b"OPTIONS"]
    return http(GOOD, chance.choice(paths), chance.choice(methods))


def bad_headers(chance):
    headers = [b"Content-Length: abc", b"Content-Length: -3", b"Transfer-Encoding: chunked",
               b"Content-Length: 99999999999999999999", b"no colon", b"\x00: \xff"]  # fmt: skip
    return b"POST %s HTTP/1.1\r\n%s\r\n\r\n" % (PREDICT, chance.choice(headers))


KINDS = [random_bytes, random_body, broken_json, truncated_body, wrong_types, deep_nesting,
         huge_numbers, odd_lengths, wrong_path, bad_headers]  # fmt: skip


def ask(port, request, ending):
    """Send a request, end it in one of three ways, and return what comes back, or None."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        if ending == "reset":
            connection.sendall(request)
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return None
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent
        answer = b""
        while received := connection.recv(1 << 16):
            answer += received
        return answer


def torment(port, seed, count):
    """Return the statuses of `count` requests, the kind and seed of each that went wrong aside."""
    chance = random.Random(seed)
    statuses, wrong = [], []
    for number in range(count):
        kind = chance.choice(KINDS)
        request = kind(chance)
        ending = "reset" if chance.random() < 0.1 else "half-closed"
        answer = ask(port, request, ending)
        if answer is None:
            continue
        status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None
        statuses.append(status)
        # 501: the double answers predict alone, and :classify is a method of the interface.
        if status is None or not (status == 200 or 400 <= status < 500 or status == 501):
            wrong.append((seed, number, kind.__name__, answer[:200]))
    return statuses, wrong


def test_ten_thousand_garbage_requests_of_64_clients_are_refused_or_answered(double, client):
    print(f"seed {SEED}")
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        seeds = range(SEED * 1000, SEED * 1000 + CLIENTS)
        share = -(-REQUESTS // CLIENTS)
        found = list(pool.map(lambda seed: torment(double.rest_port, seed, share), seeds))
    statuses = [status for part, _ in found for status in part]
    assert [item for _, wrong in found for item in wrong] == []
    assert len(statuses) > 0.8 * REQUESTS
    assert {200, 400, 404, 413, 414} <= set(statuses)
    (good,) = client.tag(["Anna met Jo at 12"])
    assert [token.tag for token in good.tokens] == ["B-NAME", "O", "B-NAME", "O", "B-TIME"]
    assert double.process.poll() is None


def test_silent_clients_do_not_hold_the_threads(double, client):
    # Each holds a thread for the read timeout, one second here, and no longer.
    silent = [socket.create_connection(("127.0.0.1", double.rest_port)) for _ in range(32)]
    try:
        assert client.status()[0].state == "AVAILABLE"
    finally:
        for connection in silent:
            connection.close()


def test_garbage_over_grpc_leaves_it_serving(double):
    import grpc
    from tensorflow_serving.apis import predict_pb2

    chance = random.Random(SEED)
    with socket.create_connection(("127.0.0.1", double.grpc_port)) as connection:
        connection.sendall(chance.randbytes(1000))
    with grpc.insecure_channel(f"127.0.0.1:{double.grpc_port}") as channel:
        method = "/tensorflow.serving.PredictionService/Predict"
        call = channel.unary_unary(method)
        codes = set()
        for _ in range(100):
            with pytest.raises(grpc.RpcError) as caught:
                call(chance.randbytes(chance.randrange(1, 200)), timeout=10)
            codes.add(caught.value.code().name)
        assert codes <= {"INTERNAL", "UNKNOWN", "INVALID_ARGUMENT", "NOT_FOUND"}
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "tagger"
        request.inputs["text"].string_val.append(b"Anna")
        request.inputs["text"].dtype = 7
        request.inputs["text"].tensor_shape.dim.add(size=1)
        answer = predict_pb2.PredictResponse.FromString(call(request.SerializeToString()))
        assert answer.outputs["tags"].string_val == [b"B-NAME"]
