import concurrent.futures
import contextlib
import functools
import http.server
import json
import math
import threading

import pytest

from serving import tagging_client
from serving.client import ServingError
from serving.tagging_client import TaggingClient

TEXT = "서울에서 Ünal 👩‍👩‍👧 met  Jo"


@contextlib.contextmanager
def answering(status, body):
    """A real server that gives one answer to all that it is asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield TaggingClient("127.0.0.1", server.server_port, "tagger")
        server.shutdown()
        thread.join()


@pytest.fixture
def run(run_client, double):
    """The command, asking the test double."""
    return functools.partial(run_client, "tagging_client.py", "--port", double.rest_port)


def test_characters_slice_the_text_to_the_token(client):
    (result,) = client.tag([TEXT])
    assert [TEXT[t.char_start : t.char_end] for t in result.tokens] == TEXT.split()
    assert [t.text for t in result.tokens] == TEXT.split()


def test_bytes_slice_the_encoded_text_to_the_token(client):
    (result,) = client.tag([TEXT])
    encoded = TEXT.encode()
    assert [encoded[t.start : t.end].decode() for t in result.tokens] == TEXT.split()


def test_tags_belong_to_their_tokens(client):
    (result,) = client.tag(["Anna met Jo at 12"])
    assert [t.tag for t in result.tokens] == ["B-NAME", "O", "B-NAME", "O", "B-TIME"]
    assert not result.truncated
    assert result.label is None


def test_a_cut_text_is_marked(client):
    (result,) = client.tag(["a " * 80])
    assert result.truncated
    assert len(result.tokens) == 64


def test_a_text_of_100_kilobytes_is_answered(client):
    (result,) = client.tag(["서울 Jo " * 10_000])
    assert result.truncated
    assert [token.text for token in result.tokens[:2]] == ["서울", "Jo"]


def test_many_clients_at_once_get_their_own_answers(client):
    texts = [f"{'a ' * (i % 7)}Jo {i}" for i in range(200)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda text: client.tag([text])[0], texts))
    assert [answer.text for answer in answers] == texts
    assert [len(answer.tokens) for answer in answers] == [i % 7 + 2 for i in range(200)]
    assert [answer.tokens[-1].text for answer in answers] == [str(i) for i in range(200)]


def test_an_empty_text_has_no_tokens(client):
    assert [result.tokens for result in client.tag(["", " "])] == [[], []]


def test_no_texts_have_no_answers(client):
    methods = (client.tag, client.spans, client.marginals, client.k_best, client.tag_tokens)
    assert [ask([]) for ask in methods] == [[]] * 5


def test_a_text_without_spans_says_so():
    (row,) = tagging_client._rows(tagging_client.Spanned("a text", [], False))
    assert row == ("no spans",)


def test_spans_carry_type_score_and_offsets(client):
    (result,) = client.spans([TEXT])
    assert [(s.text, s.type, s.char_start, s.start) for s in result.spans] == [
        ("Ünal", "NAME", 5, 13),
        ("Jo", "NAME", 21, 43),
    ]
    assert result.spans[0].score == pytest.approx(0.8)


def test_marginals_name_every_tag(client):
    (result,) = client.marginals(["Anna met"])
    assert result.tokens[1].marginals == pytest.approx({"O": 0.8, "B-NAME": 0.1, "B-TIME": 0.1})
    assert len(result.tokens) == 2


def test_the_best_taggings_come_in_turn_each_with_its_log_probability(client):
    results = client.k_best(["Anna met", "12 Jo Jo"])
    tags = [[[token.tag for token in one.tokens] for one in ranked] for ranked in results]
    assert tags == [
        [["B-NAME", "O"], ["O", "O"]],
        [["B-TIME", "B-NAME", "B-NAME"], ["O", "O", "O"]],
    ]
    scores = [[one.log_probability for one in ranked] for ranked in results]
    assert scores == [pytest.approx([math.log(0.8), math.log(0.2)])] * 2
    assert [one.text for one in results[1]] == ["12 Jo Jo"] * 2


def test_the_tokens_of_the_best_taggings_are_those_of_tag(client):
    (plain,) = client.tag([TEXT])
    ((best, other),) = client.k_best([TEXT])
    assert best._replace(log_probability=None) == plain
    assert other.tokens == [token._replace(tag="O") for token in plain.tokens]


def test_a_text_with_fewer_taggings_has_fewer(client):
    results = client.k_best(["Jo", "met", ""])
    assert [[one.log_probability for one in ranked] for ranked in results[1:]] == [[0.0], [0.0]]
    assert [len(ranked) for ranked in results] == [2, 1, 1]
    assert results[2][0].tokens == []


def ranked_answer(**changed):
    """The answer of `k_best` to "a b", with filling behind each row."""
    outputs = {
        "starts": [[0, 2, 0]], "ends": [[1, 3, 0]], "lengths": [2], "truncated": [False],
        "tags": [[["O", "O", ""], ["O", "N", ""], ["", "", ""]]], "scores": [[-0.5, -1, -1e9]],
        "paths": [2], "label": ["x"], "label_scores": [[0.4, 0.6]], "label_names": [["y", "x"]],
    }  # fmt: skip
    return json.dumps({"outputs": {**outputs, **changed}}).encode()


def test_filling_behind_the_taggings_is_left_out():
    with answering(200, ranked_answer()) as client:
        ((best, other),) = client.k_best(["a b"])
    assert [(t.text, t.tag) for t in other.tokens] == [("a", "O"), ("b", "N")]
    assert (best.log_probability, other.log_probability) == (-0.5, -1.0)
    assert (best.label, best.label_scores) == ("x", {"y": 0.4, "x": 0.6})


@pytest.mark.parametrize(
    "changed",
    [
        {"paths": [4]},
        {"paths": [-1]},
        {"paths": []},
        {"tags": [[["O", "O", ""]]]},
        {"tags": [[["O", "O", ""], ["O"]]]},
        {"tags": [[["O", "O", ""], []]]},
        {"scores": [[-0.5]]},
        {"scores": [[-0.5, "low"]]},
        {"starts": [[0]]},
        {"truncated": []},
        {"truncated": [False, False]},
    ],
    ids=json.dumps,
)
def test_a_ranking_that_is_not_whole_is_refused(changed):
    body = ranked_answer(**changed)
    with answering(200, body) as client, pytest.raises(ServingError, match="cannot be read"):
        client.k_best(["a b"])


def test_marginals_of_too_few_tokens_are_refused():
    body = ranked_answer(tags=[["O", "O"]], marginals=[[[1.0]]], tag_names=[["O"]])
    with answering(200, body) as client, pytest.raises(ServingError, match="cannot be read"):
        client.marginals(["a b"])


def test_token_lists_of_any_length_are_tagged(client):
    results = client.tag_tokens([["Anna", "met", "Jo"], [], ["서울"]])
    assert [result.tags for result in results] == [["B-NAME", "O", "B-NAME"], [], ["O"]]


def test_status_lists_the_versions(client):
    assert client.status() == [(3, "AVAILABLE", "")]


def test_a_refusal_is_a_sentence(double):
    client = TaggingClient("127.0.0.1", double.rest_port, "no such")
    with pytest.raises(ServingError) as caught:
        client.tag(["a"])
    assert str(caught.value) == (
        f"the server at 127.0.0.1:{double.rest_port}, asked for signature serving_default at"
        " /v1/models/no%20such:predict, answered 404:"
        " Servable not found for request: Latest(no such)"
    )


def test_another_version_is_refused(double):
    client = TaggingClient("127.0.0.1", double.rest_port, "tagger", version=9)
    with pytest.raises(ServingError, match="Could not find version 9 of model tagger"):
        client.status()


@pytest.mark.parametrize("texts", [[1], ["\ud800"], [b"a"]])
def test_what_is_no_text_is_refused(client, texts):
    with pytest.raises(ValueError, match="`texts` must hold strings.* Received: texts with"):
        client.tag(texts)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"<HTML>oops</HTML>", "answered 500: <HTML>oops</HTML>"),
        (503, b"", "answered 503: nothing"),
        (200, b"hello", "gave an answer that is no JSON object: b'hello'"),
        (200, b"[]", "gave an answer that is no JSON object"),
        (200, b"{}", "gave an answer that cannot be read (KeyError: 'outputs')"),
        (200, b'{"outputs": {}}', "gave an answer that cannot be read (KeyError: 'truncated')"),
    ],
)
def test_an_answer_without_sense_is_a_sentence(status, body, message):
    with answering(status, body) as client, pytest.raises(ServingError) as caught:
        client.tag(["a"])
    assert message in str(caught.value)


@pytest.mark.parametrize(("start", "end"), [(0, 2), (-1, 3), (3, 99), (5, 3)])
def test_offsets_that_cut_a_character_or_leave_the_text_are_refused(start, end):
    outputs = {"starts": [[start]], "ends": [[end]], "tags": [["O"]], "lengths": [1],
               "truncated": [False]}  # fmt: skip
    body = json.dumps({"outputs": outputs}).encode()
    with answering(200, body) as client, pytest.raises(ServingError, match="cannot be read"):
        client.tag(["서울"])


def test_the_command_prints_a_table(run):
    done = run("서울 Jo")
    assert done.stdout == (
        "서울 Jo\n"
        "  token  tag     bytes  characters\n"
        "  서울   O       0-6    0-2\n"
        "  Jo     B-NAME  7-9    3-5\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_reads_lines_of_stdin(run):
    done = run("--signature", "spans", "--json", stdin="Anna met\nJo\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["spans"][0]["text"] for answer in answers] == ["Anna", "Jo"]


def test_the_command_prints_marginals_and_given_tokens(run):
    assert "B-NAME  0-4    0-4         0.8000" in run("--signature", "marginals", "Anna").stdout
    assert "  Anna   B-NAME\n" in run("--signature", "pretokenized", "Anna met").stdout


def test_the_command_prints_the_best_taggings_in_turn(run):
    done = run("--signature", "k_best", "서울 Jo")
    assert done.stdout == (
        "서울 Jo\n"
        "  probability: 0.8000\n"
        "  token  tag     bytes  characters\n"
        "  서울   O       0-6    0-2\n"
        "  Jo     B-NAME  7-9    3-5\n"
        "서울 Jo\n"
        "  probability: 0.2000\n"
        "  token  tag  bytes  characters\n"
        "  서울   O    0-6    0-2\n"
        "  Jo     O    7-9    3-5\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_writes_a_line_of_json_a_text(run):
    done = run("--signature", "k_best", "--json", "Anna", "met")
    first, second = map(json.loads, done.stdout.splitlines())
    place = {"start": 0, "end": 4, "char_start": 0, "char_end": 4}
    assert first[0] == {
        "text": "Anna",
        "tokens": [{"text": "Anna", "tag": "B-NAME", **place}],
        "truncated": False,
        "log_probability": pytest.approx(math.log(0.8)),
    }
    assert [len(first), len(second)] == [2, 1]


def test_the_command_says_in_a_sentence_that_nobody_answers(run_client):
    done = run_client("tagging_client.py", "--port", 1, "Anna")
    assert done.returncode == 1
    assert done.stderr == (
        "client: the server at 127.0.0.1:1, asked for signature serving_default at"
        " /v1/models/tagger:predict, could not be reached: [Errno 111] Connection refused\n"
    )
