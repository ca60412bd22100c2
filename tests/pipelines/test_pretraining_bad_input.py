"""Bad input to the command: exit status, the whole message, and nothing half-written."""

import json
import shutil

import pytest

UNFINISHED = "error: The preparation did not finish: "
EMPTY = UNFINISHED + (
    "the {split} split has no document ({counts}; 0 rejected). Give more documents, or files for "
    "`{argument}`."
)
REJECTED = UNFINISHED + (
    "1 of {total} documents ({share}) were rejected, and `max_rejects` allows 1.0%. First "
    "rejects: {path}:{fault}. All of them, with their text: "
    "{output}/examples/rejects/rejects.jsonl. Correct the input or its description, or raise "
    "`max_rejects`."
)
SPECIALS = "[PAD], [UNK], [CLS], [SEP], [MASK]"
FEW_PIECES = ["--vocabulary_size=100"]
SMALL = ["--vocabulary_size=300", "--max_length=32"]


@pytest.fixture
def write(tmp_path):
    """Writes a file; returns its path."""

    def to(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


@pytest.fixture
def refused(program, tmp_path):
    """Runs a stage that must fail, and checks what every refusal has in common."""

    def run(stage, *options):
        output = tmp_path / "output"
        done = program(stage, f"--output={output}", *options, task="pretraining")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        for name in ("examples/manifest.json", "model.keras", "serving"):
            assert not (output / name).exists()
        return done.stderr.strip().split("\n")[-1]

    return run


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("One sentence here. Another one.\nA third.\n", "1 train, 0 eval, 0 test"),
        ("A single sentence.\n", "1 train, 0 eval, 0 test"),
    ],
    ids=["one document", "one sentence"],
)
def test_a_corpus_of_one_document_cannot_be_split(text, counts, write, refused):
    said = refused("prepare", f"--train={write('a.txt', text)}", *SMALL)
    assert said == EMPTY.format(split="eval", counts=counts, argument="dev")


def test_a_corpus_of_empty_lines(write, refused):
    said = refused("prepare", f"--train={write('a.txt', chr(10) * 3 + ' ' + chr(10))}", *SMALL)
    counts = "0 train, 0 eval, 0 test"
    assert said == EMPTY.format(split="train", counts=counts, argument="train")


def test_an_empty_file(write, refused):
    path = write("a.txt", "")
    said = refused("prepare", f"--train={path}", *SMALL)
    message = "error: `train` must name files with sentences, and this file is empty. Received: "
    assert said == f"{message}train='{path}'"


@pytest.mark.parametrize(("split", "pieces"), [("train", 100), ("test", 300)])
def test_documents_without_another_to_take_spans_from(split, pieces, write, refused, bert_files):
    path = write("a.txt", "One sentence here.\nAnother one.\n")
    said = refused(
        "prepare", *bert_files, f"--{split}={path}", *SMALL, f"--vocabulary_size={pieces}"
    )
    assert said == UNFINISHED + (
        f"1 documents of the {split} split are alone in their shard, and half of the pairs take "
        "their second span from another document. Give more documents (blank lines part them), "
        "or fewer `num_shards`."
    )


def test_a_vocabulary_smaller_than_the_letters(refused, bert_files):
    said = refused("prepare", *bert_files, *SMALL, "--vocabulary_size=20")
    assert said == UNFINISHED + (
        "no vocabulary can be made: `vocabulary_size` must be at least 151 for this corpus: two "
        "tokens for each character, and the specials (a lower `max_characters` leaves out rare "
        "ones). Received: vocabulary_size=20. Correct the named argument or the input."
    )


def test_a_test_split_that_makes_no_pairs(write, refused, bert_files):
    path = write("a.txt", "a\n\ni\n\na\n")
    said = refused("prepare", *bert_files, f"--test={path}", *SMALL)
    assert said == UNFINISHED + (
        "the test split has no pair of spans, as its 3 documents are of 3 pieces. Give documents "
        "of two pieces at least."
    )


FAULTS = {
    "a line of 5 megabytes": (
        b"x" * 5_000_000,
        "2: line: expected at most 1000000 bytes, received 5000000",
        44,  # its document comes in two parts
    ),
    "a line that is no UTF-8": (
        b"not \xff so",
        "2: byte 5 of the line: expected UTF-8, received 0xFF",
        43,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_lines_that_cannot_be_used(name, write, refused, bert_files, tmp_path):
    line, fault, total = FAULTS[name]
    path = write("a.txt", b"Some text.\n" + line + b"\nMore of it.\n\nAnd this. And that.\n")
    said = refused("prepare", *bert_files, f"--train={path}", *SMALL, *FEW_PIECES)
    output = tmp_path / "output"
    assert said == REJECTED.format(
        total=total, share="2.3%", path=path, fault=fault, output=output
    )


def test_a_long_line_that_may_be_rejected_is_kept_beside_the_examples(
    write, program, bert_files, tmp_path
):
    path = write("a.txt", b"Some text.\n" + b"x" * 5_000_000 + b"\nMore.\n\nAnd this. And that.\n")
    options = [
        *bert_files,
        f"--train={path}",
        *SMALL,
        *FEW_PIECES,
        "--max_rejects=0.1",
    ]
    done = program("prepare", f"--output={tmp_path / 'out'}", *options, task="pretraining")
    assert done.returncode == 0, done.stderr
    rejects = tmp_path / "out" / "examples" / "rejects" / "rejects.jsonl"
    (reject,) = map(json.loads, rejects.read_text().splitlines())
    assert (reject["file"], reject["line"], reject["kind"]) == (str(path), 2, "long_line")
    assert len(reject["text"]) == 10_000


def test_a_vocabulary_without_a_special(write, refused, bert_files):
    path = write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\n")
    said = refused("prepare", *bert_files, f"--vocabulary={path}")
    assert (
        said
        == f"error: {path}: must hold the specials {SPECIALS}. Received: 5 pieces without [MASK]"
    )


def test_a_vocabulary_that_does_not_begin_with_padding(write, refused, bert_files):
    path = write("vocab.txt", "the\n[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    said = refused("prepare", *bert_files, f"--vocabulary={path}")
    assert said == (
        f"error: {path}: the first piece must be [PAD], as id 0 is padding. Received: 'the'"
    )


def test_a_vocabulary_that_is_no_file(refused, bert_files):
    said = refused("prepare", *bert_files, "--vocabulary=/none/vocab.txt")
    assert said == "error: /none/vocab.txt: there is no such file."


def test_pairs_that_hold_nothing(refused, bert_files):
    said = refused("prepare", *bert_files, "--max_length=4")
    assert said == "error: `max_length` must be at least 5. Received: max_length=4"


def test_a_sample_corpus_that_there_is_none_of(refused):
    said = refused("prepare", "--language=fr")
    assert said == "error: `language` must be en or ko. Received: language='fr'"


def test_dev_files_without_training_files(refused, bert_files):
    said = refused("prepare", bert_files[1])
    assert said == ("error: `--train` must be given with --dev or --test. Received: no --train")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--warmup_steps=10", "--steps=10"],
            "`--warmup_steps` must be below --steps. Received: --warmup_steps 10 --steps 10",
        ),
        (
            ["--max_positions=16"],
            "`--max_length` must be at most --max_positions. Received: --max_length 64 "
            "--max_positions 16",
        ),
        (
            ["--remat"],
            "`--remat` must come with --dropout 0, as what is computed twice must be the same "
            "twice. Received: --dropout 0.1",
        ),
        (
            ["--initial=/none/model.keras"],
            "`--initial` must name a file that is there. Received: /none/model.keras",
        ),
        (
            ["--previous=/none/model.keras"],
            "`--previous` must name a file that is there. Received: /none/model.keras",
        ),
    ],
)
def test_options_that_do_not_agree_are_refused_before_any_stage(options, message, refused):
    assert refused("run", *options) == f"error: {message}"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--learning_rate=0", "expected a number above 0, received '0'"),
        ("--learning_rate=nan", "expected a number above 0, received 'nan'"),
        ("--warmup_steps=-1", "expected a whole number from 0 on, received '-1'"),
        ("--steps=0", "expected a whole number from 1 on, received '0'"),
        ("--clip=-1", "expected a number from 0 on, received '-1'"),
        ("--dropout=1", "expected a share from 0 to below 1, received '1'"),
        ("--short_share=1.5", "expected a share from 0 to 1, received '1.5'"),
        ("--mask_share=0", "expected a share above 0 and below 1, received '0'"),
        ("--mask_share=1", "expected a share above 0 and below 1, received '1'"),
    ],
)
def test_options_out_of_range_are_refused(option, message, program, tmp_path):
    done = program("train", f"--output={tmp_path}", option, task="pretraining")
    assert done.returncode == 2
    name = option.partition("=")[0]
    assert done.stderr.strip().endswith(f"error: argument {name}: {message}")


def test_fewer_positions_than_the_examples_have(program, bert_examples, tmp_path):
    """What an earlier training left stays as it is."""
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "examples")
    (tmp_path / "BLESSED").touch()
    (tmp_path / "model.keras").write_text("of an earlier training")
    options = [f"--output={tmp_path}", "--max_positions=16"]
    done = program("train", *options, task="pretraining")
    assert done.returncode == 1
    assert done.stderr.strip().split("\n")[-1] == (
        "error: `--max_positions` must be at least 32, the ids of the prepared pairs. "
        "Received: --max_positions 16"
    )
    assert (tmp_path / "BLESSED").exists()
    assert (tmp_path / "model.keras").read_text() == "of an earlier training"


def test_training_before_preparing_is_refused(refused, tmp_path):
    assert refused("train") == (
        "error: `folder` must be a folder of prepared examples, and there is none: run the "
        f"preparation first. Received: folder='{tmp_path}/output/examples'"
    )


def test_exporting_before_training_is_refused(refused, tmp_path):
    assert refused("export", "--export_anyway") == (
        f"error: {tmp_path}/output/model.keras: expected a .keras file; run the train stage first"
    )


def test_a_first_phase_whose_file_is_no_model(program, write, bert_examples, tmp_path):
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "output" / "examples")
    initial = write("model.keras", "no model")
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "model.text")
    options = [f"--output={tmp_path / 'output'}", f"--initial={initial}", "--units=8"]
    done = program("train", *options, "--num_heads=2", task="pretraining")
    assert done.returncode == 1
    said = done.stderr.strip().split("\n")[-1]
    assert said.startswith(
        f"error: {initial}: expected a .keras file that can be read; train again. Received: "
    )
    assert not (tmp_path / "output" / "model.keras").exists()
