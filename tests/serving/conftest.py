import json
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(pathlib.Path(__file__).parent)]

TEXTS = [
    "Anna met Jo at 12",
    "",
    "   ",
    "서울에서 Ünal 👩‍👩‍👧 Midnight",
    "  two  spaces  Here ",
    "가나 ﬁne ＡＢＣ é",
    "A " * 80,
]


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """Folder of version 3 of a hand-made tagger, with warm-up requests."""
    import hand_made_tagger

    from serving.warmup import write_warmup

    folder = tmp_path_factory.mktemp("models") / "tagger" / "3"
    hand_made_tagger.save(folder)
    requests = [
        ("serving_default", {"text": ["Warm up"]}),
        ("pretokenized", {"tokens": [["Warm", "up"]], "lengths": [2]}),
    ]
    write_warmup(folder, "tagger", requests)
    return folder


@pytest.fixture(scope="session")
def cases(export):
    """Requests and what the export answers, asked of the loaded functions themselves."""
    from tests.serving.hand_made_export import case_maker

    case = case_maker(export)
    names = ("serving_default", "spans", "marginals", "k_best")
    texts = [case(name, text=TEXTS) for name in names]
    one = case("serving_default", text=["Anna"])
    none = case("serving_default", text=[])
    encoded = case("serving_default", text=["a", {"b64": "QmVybGlu"}])
    tokens = case("pretokenized", tokens=[["Anna", "met"], ["서울", ""]], lengths=[2, 1])
    return [*texts, one, none, encoded, tokens]


@pytest.fixture(scope="session")
def cases_file(cases, tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def double(export):
    """A test double that serves the export, in a process of its own."""
    from serving.double_process import running_double

    with running_double(export.parent, "tagger", "--read_timeout", "1") as running:
        yield running


@pytest.fixture(scope="session")
def client(double):
    from serving.tagging_client import TaggingClient

    return TaggingClient("127.0.0.1", double.rest_port, "tagger")


@pytest.fixture
def run_client(tmp_path):
    """Runs a client's two files alone, in a process that knows nothing else of the project."""

    def run(name, *arguments, stdin=""):
        for copied in ("client.py", name):
            shutil.copy(ROOT / "serving" / copied, tmp_path)
        command = [sys.executable, name, *map(str, arguments)]
        kept = {"cwd": tmp_path, "input": stdin, "timeout": 60}
        return subprocess.run(command, **kept, capture_output=True, text=True)

    return run
