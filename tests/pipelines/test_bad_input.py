"""Bad input to the command: exit status, the whole message, and nothing half-written."""

import gzip
import random
import re
import resource
import shutil

import pytest

GOOD = "".join(
    f"city{i}\t{'B-city' if i % 3 == 0 else 'O'}\nis\tO\nfar{i % 5}\tO\n\n" for i in range(200)
)
ADVICE = (
    " All of them, with their text: {output}/examples/rejects/rejects.jsonl. Correct the input or "
    "its description, or raise `max_rejects`."
)


def rejected(number, of, share, first):
    return (
        f"error: The preparation did not finish: {number} of {of} sentences ({share}) were "
        f"rejected, and `max_rejects` allows 0.0%. First rejects: {first}.{ADVICE}"
    )


# name -> (content of the file, its message); {file} is its path, {output} that of --output.
TRAIN = {
    "empty file": (
        "",
        "error: `train` must name files with sentences, and this file is empty. "
        "Received: train='{file}'",
    ),
    "wrong column count": (
        GOOD + "alone\n",
        rejected(1, 201, "0.5%", "{file}:801: column 2 (tag): expected 2 columns, received 1"),
    ),
    "Latin-1 bytes": (
        GOOD.encode() + "café\tO\n".encode("latin-1"),
        rejected(1, 201, "0.5%", "{file}:801: byte 4 of the line: expected UTF-8, received 0xE9"),
    ),
    "NUL bytes": (
        GOOD + "a\0b\tO\n",
        rejected(
            1, 201, "0.5%", "{file}:801: byte 2 of the line: expected text, received a NUL byte"
        ),
    ),
    "a token of 1 MB": (
        GOOD + "x" * 2**20 + "\tO\n",
        rejected(
            1,
            201,
            "0.5%",
            "{file}:801: column 1 (token): expected at most 1000 bytes, received 1048576",
        ),
    ),
    "illegal transition": (
        GOOD + "a\tO\nb\tI-city\n",
        rejected(
            1,
            201,
            "0.5%",
            "{file}:802: column 2 (tag): tag 'I-city' may not follow 'O' under bio",
        ),
    ),
    "one label only": (
        "".join(f"a{i}\tO\n\n" for i in range(200)),
        "error: The preparation did not finish: the training split has one tag only, 'O', and "
        "needs two. Check which column or field holds the tags.",
    ),
}


@pytest.fixture
def prepare(command, program, tmp_path):
    """Runs `prepare`, and checks what every refusal has in common; returns its message."""
    output = tmp_path / "output"

    def run(*options, **settings):
        arguments = ("--encoding=bio", "--max_rejects=0", *options)
        start = command if settings else program
        done = start("prepare", f"--output={output}", *arguments, **settings)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert not (output / "examples" / "manifest.json").exists()
        assert list(output.rglob("*.partial*")) == []
        return done.stderr.rstrip("\n")

    run.output = output
    return run


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", TRAIN)
def test_refused_training_file(prepare, tmp_path, name):
    content, message = TRAIN[name]
    file = write(tmp_path / "train.conll", content)
    assert prepare(f"--train={file}") == message.format(file=file, output=prepare.output)


def test_missing_file(prepare, tmp_path):
    file = tmp_path / "missing.conll"
    assert prepare(f"--train={file}") == (
        "error: `train` must name existing files, and there is no such file. "
        f"Received: train='{file}'"
    )


def test_directory(prepare, tmp_path):
    assert prepare(f"--train={tmp_path}") == (
        f"error: `train` must name files, and this is a folder. Received: train='{tmp_path}'"
    )


def test_test_split_with_an_unseen_tag(prepare, tmp_path):
    train = write(tmp_path / "train.conll", GOOD)
    test = write(tmp_path / "test.conll", "ship\tB-ship\n\n" + GOOD)
    message = rejected(
        1,
        401,
        "0.2%",
        "{file}:1: tag 'B-ship' does not occur in the training split; its tags are O, B-city",
    )
    assert prepare(f"--train={train}", f"--test={test}") == message.format(
        file=test, output=prepare.output
    )


LABELLED = "".join(
    f"# intent = {'ab'[number % 2]}\n{sentence}\n\n"
    for number, sentence in enumerate(GOOD.strip().split("\n\n"))
)


def test_a_label_that_the_corpus_does_not_have(prepare, tmp_path):
    train = write(tmp_path / "train.conll", LABELLED)
    reason = "comment 'topic': expected a line '# topic = ...' in the sentence, received none"
    first = "; ".join(f"{{file}}:{line}: {reason}" for line in range(1, 26, 5))
    message = rejected(200, 200, "100.0%", first)
    assert prepare(f"--train={train}", "--label=topic") == message.format(
        file=train, output=prepare.output
    )


def test_test_split_with_an_unseen_label(prepare, tmp_path):
    train = write(tmp_path / "train.conll", LABELLED)
    test = write(tmp_path / "test.conll", "# intent = cancel\nno\tO\n\n" + LABELLED)
    message = rejected(
        1,
        401,
        "0.2%",
        "{file}:2: label 'cancel' does not occur in the training split; its labels are a, b",
    )
    assert prepare(f"--train={train}", f"--test={test}", "--label=intent") == message.format(
        file=test, output=prepare.output
    )


def test_empty_split(prepare, tmp_path):
    train, dev = write(tmp_path / "train.conll", GOOD), write(tmp_path / "dev.conll", "\n\n")
    test = write(tmp_path / "test.conll", GOOD)
    assert prepare(f"--train={train}", f"--dev={dev}", f"--test={test}") == (
        "error: The preparation did not finish: the eval split has no sentence (200 train, "
        "0 eval, 200 test; 0 rejected). Give more sentences, or files for `dev`."
    )


def test_vocabulary_of_only_specials(prepare, tmp_path):
    train = write(tmp_path / "train.conll", GOOD)
    files = (f"--{split}={train}" for split in ("train", "dev", "test"))
    assert prepare(*files, "--min_count=999") == (
        "error: The preparation did not finish: no vocabulary can be made: `min_count` must "
        "leave at least one token, or the vocabulary holds only specials: all 5 tokens were "
        "dropped, the most frequent is 'far0' with count 200. Received: min_count=999. Correct "
        "the named argument or the input."
    )


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


def test_full_disk_while_preparing(prepare, tmp_path):
    letters = random.Random(0)  # text that does not compress
    words = ("".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(9000))
    text = "".join(f"{word}\tO\nx\tB-a\n\n" for word in words)
    train = write(tmp_path / "train.conll", text)
    message = prepare(f"--train={train}", preexec_fn=limit_file_size)
    shard = f"{prepare.output}/examples/Split-train/examples-0000"
    assert message.startswith(f"error: The preparation did not finish: cannot write {shard}")
    assert message.endswith(
        "-of-00004.tfrecord.gz: File too large. Make room or correct the permissions, and run it "
        "again into the same folder."
    )


def copied(finished, tmp_path, *names):
    output = tmp_path / "output"
    output.mkdir()
    for name in names:
        copy = shutil.copytree if (finished / name).is_dir() else shutil.copy
        copy(finished / name, output / name)
    return output


def refused(start, *arguments, **settings):
    done = start(*arguments, **settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().split("\n")[-1]


def test_full_disk_while_training(command, finished, tmp_path, tiny):
    output = copied(finished, tmp_path, "examples")
    message = refused(command, "train", f"--output={output}", *tiny, preexec_fn=limit_file_size)
    assert message == f"error: cannot write {output}/model.keras: File too large"
    assert not (output / "model.keras").exists()


def test_full_disk_while_exporting(command, finished, tmp_path):
    output = copied(finished, tmp_path, "examples", "model.keras", "model.text")
    message = refused(
        command,
        "export",
        f"--output={output}",
        "--export_anyway",
        preexec_fn=limit_file_size,
    )
    assert message.startswith(f"error: cannot write {output}/serving/tagger/1: ")
    assert list((output / "serving" / "tagger").iterdir()) == []


def test_corrupt_records_are_named_with_their_position(program, finished, tmp_path, tiny):
    output = copied(finished, tmp_path, "examples")
    shard = output / "examples" / "Split-train" / "examples-00002-of-00004.tfrecord.gz"
    content = bytearray(gzip.decompress(shard.read_bytes()))
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(gzip.compress(bytes(content), mtime=0))
    message = refused(program, "train", f"--output={output}", *tiny)
    assert message.startswith(f"error: {shard}: expected ")
    assert " First damage: " in message
    place = r"record \d+ at byte \d+ of the decompressed data: expected the checksum 0x\w+ of "
    assert re.search(place, message.split(" First damage: ")[1])
    assert not (output / "model.keras").exists()


def test_examples_without_a_manifest(program, finished, tmp_path, tiny):
    output = copied(finished, tmp_path, "examples")
    (output / "examples" / "manifest.json").unlink()
    assert refused(program, "train", f"--output={output}", *tiny) == (
        "error: `folder` must hold manifest.json, which is written last: the preparation did not "
        f"finish. Run it again into the same folder. Received: folder='{output}/examples'"
    )


def test_corrupt_model(program, finished, tmp_path):
    output = copied(finished, tmp_path, "examples", "model.keras", "model.text")
    path = output / "model.keras"
    path.write_bytes(path.read_bytes()[:3000])
    message = refused(program, "evaluate", f"--output={output}")
    assert message.startswith(
        f"error: {path}: expected a .keras file that can be read; train again. Received: "
    )
    assert not (output / "evaluation.json").exists()


def test_no_model(program, finished, tmp_path):
    output = copied(finished, tmp_path, "examples")
    assert refused(program, "evaluate", f"--output={output}") == (
        f"error: {output}/model.keras: expected a .keras file; run the train stage first"
    )


def test_dev_without_train(prepare, tmp_path):
    dev = write(tmp_path / "dev.conll", GOOD)
    assert prepare(f"--dev={dev}") == (
        "error: `--train` must be given with --dev or --test. Received: no --train"
    )
