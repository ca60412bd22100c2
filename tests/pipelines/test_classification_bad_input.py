"""Bad input to the command: exit status, the whole message, and nothing half-written."""

import pytest

from tests.preprocessing.small_labelled import texts, write

GOOD = "".join(f"{text}\t{label}\n" for text, label in texts(300))
CSV = "".join(f'"{text}",{label}\n' for text, label in texts(300))
JSON = "".join(f'{{"text": "{text}", "label": "{label}"}}\n' for text, label in texts(300))
NUMBERS = "".join(f"{text}\t{at}\n" for at, (text, _) in enumerate(texts(300)))
REJECTED = (
    "error: The preparation did not finish: 1 of 301 examples (0.3%) were rejected, and "
    "`max_rejects` allows 0.0%. First rejects: {{file}}:301: {fault}. All of them, with their "
    "text: {{output}}/examples/rejects/rejects.jsonl. Correct the input or its description, or "
    "raise `max_rejects`."
)


def rejected(fault):
    return REJECTED.format(fault=fault)


# name -> (content of the file, options, message); {file} is its path, {output} that of --output.
TRAIN = {
    "empty file": (
        "",
        [],
        "error: `train` must name files with sentences, and this file is empty. "
        "Received: train='{file}'",
    ),
    "wrong column count": (
        GOOD + "alone\n",
        [],
        rejected("columns: expected 2 parted by tabs, received 1"),
    ),
    "empty text": (
        GOOD + " \tgood\n",
        [],
        rejected("column 1 (text): expected text, received ' '"),
    ),
    "empty label": (
        GOOD + "a\t\n",
        [],
        rejected("column 2 (label): expected a label of printable characters, received ''"),
    ),
    "Latin-1 bytes": (
        GOOD.encode() + b"caf\xe9\tgood\n",
        [],
        rejected("byte 4 of the line: expected UTF-8, received 0xE9"),
    ),
    "NUL bytes": (
        GOOD + "a\0\tgood\n",
        [],
        rejected("byte 2 of the line: expected text, received a NUL byte"),
    ),
    "an open quote": (
        CSV + '"a,good\n',
        ["--input_format=csv"],
        rejected(
            "line: expected fields quoted as in CSV (unexpected end of data), received '\"a,good'"
        ),
    ),
    "no JSON": (
        JSON + "a\n",
        ["--input_format=jsonl"],
        rejected("character 1 of the line: expected JSON (Expecting value), received 'a'"),
    ),
    "no number": (
        NUMBERS + "a\tmany\n",
        ["--task=regression"],
        rejected("column 2 (label): expected a finite number, received 'many'"),
    ),
    "no finite number": (
        NUMBERS + "a\tinf\n",
        ["--task=regression"],
        rejected("column 2 (label): expected a finite number, received 'inf'"),
    ),
    "one label only": (
        "".join(f"{text}\tgood\n" for text, _ in texts(300)),
        [],
        "error: The preparation did not finish: the training split has one label only, 'good', "
        "and needs two. Check which column or field holds the label.",
    ),
}


@pytest.fixture
def refused(program, tmp_path):
    """Runs a stage that must fail, and checks what every refusal has in common."""
    output = tmp_path / "output"

    def run(stage, *options):
        options = ("--max_rejects=0", "--vocabulary_size=100", *options)
        done = program(stage, f"--output={output}", *options, task="classification")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not (output / "examples" / "manifest.json").exists()
        assert list(output.rglob("*.partial*")) == []
        return done.stderr.strip().split("\n")[-1]

    run.output = output
    return run


@pytest.mark.parametrize("name", TRAIN)
def test_refused_training_file(name, refused, tmp_path):
    content, options, message = TRAIN[name]
    path = tmp_path / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused("prepare", f"--train={path}", *options)
    assert said == message.format(file=path, output=refused.output)


def test_a_label_of_the_test_that_training_lacks(refused, tmp_path):
    train = write(tmp_path / "train.tsv", texts(100))
    test = write(tmp_path / "test.tsv", [*texts(20, 1), ("so so", "middling")])
    said = refused("prepare", f"--train={train}", f"--dev={train}", f"--test={test}")
    assert said == (
        "error: The preparation did not finish: 1 of 221 examples (0.5%) were rejected, and "
        f"`max_rejects` allows 0.0%. First rejects: {test}:21: label 'middling' does not occur in "
        "the training split; its labels are bad, good. All of them, with their text: "
        f"{refused.output}/examples/rejects/rejects.jsonl. Correct the input or its description, "
        "or raise `max_rejects`."
    )


def test_missing_file(refused, tmp_path):
    assert refused("prepare", f"--train={tmp_path}/none.tsv") == (
        "error: `train` must name existing files, and there is no such file. "
        f"Received: train='{tmp_path}/none.tsv'"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--dev=a.tsv"],
            "`--train` must be given with --dev or --test. Received: no --train",
        ),
        (
            ["--task=regression"],
            "`--train` must be given with --task regression or a description of its format: the "
            "sample corpus has its own. Received: no --train",
        ),
        (
            ["--random_weights"],
            "`--random_weights` must be given with --encoder, whose size and vocabulary it takes. "
            "Received: no --encoder",
        ),
    ],
)
def test_options_that_do_not_agree_are_refused(options, message, refused):
    assert refused("prepare", *options) == f"error: {message}"


def test_a_column_that_is_not_named(refused, tmp_path):
    path = write(tmp_path / "train.tsv", texts(10))
    assert refused("prepare", f"--train={path}", "--columns=text=0") == (
        "error: `columns` must say which is label. Received: columns={'text': 0}"
    )


def test_columns_of_json(refused, tmp_path):
    path = write(tmp_path / "train.jsonl", texts(10))
    said = refused("prepare", f"--train={path}", "--input_format=jsonl", "--header")
    assert said.startswith(
        "error: `layout` must hold arguments of the format jsonl. "
        "Received: layout={'header': True}"
    )


def test_training_before_preparing(refused):
    assert refused("train") == (
        "error: `folder` must be a folder of prepared examples, and there is none: run the "
        f"preparation first. Received: folder='{refused.output}/examples'"
    )


def test_exporting_before_training(refused):
    assert refused("export", "--export_anyway") == (
        f"error: {refused.output}/model.keras: expected a .keras file; run the train stage first"
    )


@pytest.mark.parametrize("option", ["--max_length=0", "--max_train_examples=0", "--num_shards=0"])
def test_options_out_of_range(option, program, tmp_path):
    done = program("prepare", f"--output={tmp_path}", option, task="classification")
    assert done.returncode == 2
    name = option.partition("=")[0]
    assert done.stderr.strip().endswith(
        f"error: argument {name}: expected a whole number from 1 on, received '0'"
    )
