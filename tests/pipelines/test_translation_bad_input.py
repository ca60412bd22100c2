"""Bad input to the command: exit status, the whole message, and nothing half-written."""

import json

import pytest

SOURCE = [f"a small city number {at} is far away" for at in range(300)]
TARGET = [f"eine kleine Stadt Nummer {at} ist weit weg" for at in range(300)]
REJECTED = (
    "error: The preparation did not finish: 1 of 300 pairs (0.3%) were rejected, and "
    "`max_rejects` allows 0.0%. First rejects: {source} + {target}:{fault}. All of them, with "
    "their text: {output}/examples/rejects/rejects.jsonl. Correct the input or its description, "
    "or raise `max_rejects`."
)


def with_line(lines, number, line):
    return [*lines[: number - 1], line, *lines[number:]]


# name -> (source lines, target lines, message, with {fault} of REJECTED)
PAIRS = {
    "files of different length": (
        SOURCE,
        TARGET[:299],
        "error: The preparation did not finish: 1 of the pairs of files differ in length, so that "
        "their lines do not match. First rejects: {source} + {target}:300: lines: expected as "
        "many in both files, received 300 in {source} and 299 in {target}. All of them, with "
        "their text: {output}/examples/rejects/rejects.jsonl. Give files whose lines translate "
        "each other.",
    ),
    "an empty line": (
        with_line(SOURCE, 51, ""),
        TARGET,
        REJECTED.replace("{fault}", "51: source line: expected text, received ''"),
    ),
    "a line of 10,000 tokens": (
        SOURCE,
        with_line(TARGET, 61, "Wort " * 10_000),
        REJECTED.replace(
            "{fault}", "61: target line: expected at most 1000 tokens, received 10000"
        ),
    ),
    "a control character": (
        with_line(SOURCE, 71, "a\x07b"),
        TARGET,
        REJECTED.replace(
            "{fault}",
            "71: source line, character 2: expected text on one line, received the control "
            "character U+0007",
        ),
    ),
}


@pytest.fixture
def write(tmp_path):
    """Writes lines to a file; returns its path."""

    def to(name, lines):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return to


@pytest.fixture
def refused(program, tmp_path):
    """Runs a stage that must fail, and checks what every refusal has in common."""

    def run(stage, *options):
        output = tmp_path / "output"
        done = program(stage, f"--output={output}", *options, task="translation")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not (output / "examples" / "manifest.json").exists()
        return done.stderr.strip().split("\n")[-1]

    return run


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_that_cannot_be_used(name, write, refused, tmp_path):
    sources, targets, message = PAIRS[name]
    source, target = write("a.en", sources), write("a.de", targets)
    said = refused("prepare", "--train", source, target, "--max_rejects=0")
    names = {"source": source, "target": target, "output": tmp_path / "output"}
    assert said == message.format(**names)


def test_exchanged_sides_are_warned_of_and_do_not_stop(write, program, tmp_path):
    files = write("a.en", SOURCE), write("a.de", TARGET)
    options = ["--train", *files, "--dev", *files[::-1], "--vocabulary_size=100"]
    done = program("prepare", f"--output={tmp_path / 'out'}", *options, task="translation")
    assert done.returncode == 0
    warning = (
        "eval, a.de + a.en: source and target look exchanged: 100% of the words that tell the "
        "languages of the training files apart stand on the wrong side. Check the order of the "
        "files or columns."
    )
    assert f"warning: {warning}" in done.stdout
    statistics = json.loads((tmp_path / "out/examples/statistics.json").read_text())
    assert statistics["warnings"] == [warning]


def test_one_file_is_no_pair(write, refused):
    source = write("a.en", SOURCE)
    assert refused("prepare", "--train", source) == (
        "error: `--train` must name two files or patterns with --input_format parallel, the "
        f"source and the target. Received: --train {source}"
    )


def test_a_vocabulary_larger_than_the_text_can_fill_is_refused(write, refused):
    files = write("a.en", SOURCE), write("a.de", TARGET)
    said = refused("prepare", "--train", *files, "--vocabulary_size=8000")
    assert said == (
        "error: The preparation did not finish: no vocabulary can be made: `vocabulary_size` must "
        "be at most 463 for this corpus of 241 different words. Received: vocabulary_size=8000. "
        "Correct the named argument or the input."
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--max_output_length=0", "expected a whole number from 1 on, received '0'"),
        ("--beam_width=0", "expected a whole number from 1 on, received '0'"),
        ("--character_coverage=1.5", "expected a share from 0 to 1, received '1.5'"),
        ("--length_penalty=-1", "expected a number from 0 on, received '-1'"),
    ],
)
def test_options_out_of_range_are_refused(option, message, program, tmp_path):
    done = program("export", f"--output={tmp_path}", option, task="translation")
    assert done.returncode == 2
    name = option.partition("=")[0]
    assert done.stderr.strip().endswith(f"error: argument {name}: {message}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--n_best=6"],
            "`--n_best` must be at most --beam_width, the hypotheses that there are. Received: "
            "--n_best 6 --beam_width 5",
        ),
        (
            ["--n_best=5", "--vocabulary_size=4"],
            "`--n_best` must be at most --vocabulary_size. Received: --n_best 5 "
            "--vocabulary_size 4",
        ),
        (
            ["--units=30"],
            "`--units` must be a multiple of --num_heads, which share them. Received: --units 30 "
            "--num_heads 4",
        ),
        (
            ["--model=rnn", "--input_feeding"],
            "`--input_feeding` must come with --attend after and attention. Received: --attend "
            "before --attention bahdanau",
        ),
        (
            ["--learning_rate=0"],
            "`--learning_rate` must be above 0. Received: --learning_rate 0",
        ),
        (
            ["--model=rnn", "--attention=none", "--alignment=local-p"],
            "`--alignment local-p` must come with a score of attention. "
            "Received: --attention none",
        ),
        (
            ["--input_format=jsonl", "--columns=source=0,target=1"],
            "`--columns` and `--header` must come with --input_format tsv. "
            "Received: --input_format jsonl",
        ),
        (
            ["--also_test", "/none/a.en", "/none/a.de"],
            "`--also_test` must name a file that is there. Received: /none/a.en",
        ),
        (
            ["--links", "/none/a.links"],
            "`--links` must name a file that is there. Received: /none/a.links",
        ),
    ],
)
def test_options_that_do_not_agree_are_refused_before_any_stage(options, message, refused):
    assert refused("run", *options) == f"error: {message}"


def test_training_before_preparing_is_refused(refused, tmp_path):
    assert refused("train") == (
        "error: `folder` must be a folder of prepared examples, and there is none: run the "
        f"preparation first. Received: folder='{tmp_path}/output/examples'"
    )


def test_exporting_before_training_is_refused(refused, tmp_path):
    assert refused("export", "--export_anyway") == (
        f"error: {tmp_path}/output/model.keras: expected a .keras file; run the train stage first"
    )
