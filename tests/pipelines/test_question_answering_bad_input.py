"""Bad input to the command: exit status, the whole message, and nothing half-written."""

import json

import pytest

REJECTED = (
    "error: The preparation did not finish: 1 of 41 questions (2.4%) were rejected, and "
    "`max_rejects` allows 1.0%. First rejects: {file}:{fault}. All of them, with their text: "
    "{output}/examples/rejects/rejects.jsonl. Correct the input or its description, or raise "
    "`max_rejects`."
)
PLACE = "article 'Towns', paragraph 41, question 'bad'"


def paragraph(name, context, question, *answers):
    asked = {"id": name, "question": question, "answers": list(answers)}
    return {"context": context, "qas": [asked]}


def answer(text, start):
    return {"text": text, "answer_start": start}


GOOD = [
    paragraph(f"q{at}", f"Number {at} lives in Oslo.", "Where?", answer("Oslo", 17 + len(str(at))))
    for at in range(40)
]


def document(*more):
    return json.dumps({"data": [{"title": "Towns", "paragraphs": [*GOOD, *more]}]})


# name -> (paragraph, what is said of it)
PARAGRAPHS = {
    "a wrong place": (
        paragraph("bad", "He lives in Oslo.", "Where?", answer("Oslo", 11)),
        f"1: {PLACE}, answer 1, field 'answer_start': expected the place of 'Oslo' in the "
        "context, received 11, where ' Osl' stands",
    ),
    "a context without the answer": (
        paragraph("bad", "He lives.", "Where?", answer("Oslo", 12)),
        f"1: {PLACE}, answer 1, field 'answer_start': expected the place of 'Oslo' in the "
        "context, received 12, where nothing stands",
    ),
    "an empty context": (
        paragraph("bad", "", "Where?", answer("Oslo", 0)),
        "1: article 'Towns', paragraph 41, field 'context': expected text, received ''",
    ),
    "an empty question": (
        paragraph("bad", "He lives in Oslo.", " ", answer("Oslo", 12)),
        f"1: {PLACE}, field 'question': expected text, received ' '",
    ),
    "no answers": (
        paragraph("bad", "He lives in Oslo.", "Where?"),
        f"1: {PLACE}, field 'answers': expected an answer, or 'is_impossible' to be true, "
        "received neither",
    ),
    "the id of another question": (
        paragraph("q7", "He lives in Oslo.", "Where?", answer("Oslo", 12)),
        "1: article 'Towns', paragraph 41, question 'q7', field 'id': expected one of its own, "
        "received that of an earlier question",
    ),
}


@pytest.fixture
def refused(program, tmp_path):
    """Runs a stage that must fail, and checks what every refusal has in common."""

    def run(stage, *options):
        output = tmp_path / "output"
        done = program(stage, f"--output={output}", *options, task="question_answering")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not (output / "examples" / "manifest.json").exists()
        return done.stderr.strip().split("\n")[-1]

    return run


@pytest.fixture
def write(tmp_path):
    """Writes a file of questions; returns its path."""

    def to(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to


@pytest.mark.parametrize("name", PARAGRAPHS)
def test_questions_that_cannot_be_used(name, write, refused, tmp_path):
    bad, fault = PARAGRAPHS[name]
    file = write("train.json", document(bad))
    message = REJECTED.format(file=file, output=tmp_path / "output", fault=fault)
    assert refused("prepare", f"--train={file}", "--vocabulary_size=100") == message


def test_rejects_within_bounds_are_counted_and_told(write, program, tmp_path):
    file, output = write("train.json", document(PARAGRAPHS["a wrong place"][0])), tmp_path / "out"
    options = [f"--train={file}", "--vocabulary_size=100", "--max_rejects=0.1"]
    done = program("prepare", f"--output={output}", *options, task="question_answering")
    assert done.returncode == 0
    rejects = (output / "examples" / "rejects" / "rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in rejects] == ["misplaced_answer"]


def test_broken_json(write, refused, tmp_path):
    file = write("train.json", document().replace("[", "[\n", 1)[:200] + "oops")
    place = "line 2"
    said = refused("prepare", f"--train={file}")
    assert said.startswith(
        "error: The preparation did not finish: 1 of the input files do not hold articles in the "
        f"form of SQuAD. First rejects: {file}:{place.removeprefix('line ')}: column "
    )
    assert said.endswith(
        f"All of them, with their text: {tmp_path}/output/examples/rejects/rejects.jsonl. Give a "
        "JSON file as SQuAD has it."
    )


def test_a_test_file_without_any_answer(write, refused):
    nothing = paragraph("none", "Nobody knows.", "Where?")
    nothing["qas"][0]["is_impossible"] = True
    text = json.dumps({"data": [{"title": "Towns", "paragraphs": [nothing]}]})
    files = [f"--train={write('train.json', document())}", f"--test={write('test.json', text)}"]
    assert refused("prepare", *files, "--vocabulary_size=100") == (
        "error: The preparation did not finish: none of the 1 questions of the test split has an "
        "answer. Give questions with answers."
    )


def test_a_window_too_short_for_its_question(write, refused):
    file = write("train.json", document())
    assert refused("prepare", f"--train={file}", "--max_length=64") == (
        "error: `max_length` must be at least 68, to hold a question of "
        "`max_question_length`=64 pieces, 3 specials and a piece of the context. "
        "Received: max_length=64"
    )


def test_a_dev_file_alone(write, refused):
    file = write("dev.json", document())
    assert refused("prepare", f"--dev={file}") == (
        "error: `--train` must be given with --dev or --test. Received: no --train"
    )


def test_training_without_examples(refused, tmp_path):
    folder = str(tmp_path / "output" / "examples")
    assert refused("train") == (
        "error: `folder` must be a folder of prepared examples, and there is none: run the "
        f"preparation first. Received: folder={folder!r}"
    )
