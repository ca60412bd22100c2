"""Preparations that stop: the whole message, and no manifest."""

import gzip
import os
import re
import subprocess
import sys

import pytest

from seqnlp.preprocessing import PrepareError, prepare_tagging
from seqnlp.preprocessing.groups import GroupByContent
from seqnlp.records import OUTPUT_FORMATS
from tests.preprocessing.small_corpus import tree, write


def refused(output, *args, **options):
    """The message of a preparation that fails, which leaves no manifest."""
    with pytest.raises(PrepareError) as caught:
        prepare_tagging(output, *args, **options)
    assert not os.path.exists(os.path.join(output, "manifest.json"))
    return str(caught.value)


def test_too_many_rejects_are_told_with_place_and_advice(files, tmp_path):
    bad = tmp_path / "bad.conll"
    bad.write_text("a\tO\n\n" * 2 + "a\tB-city\n\n" + "b\n\n" * 7)
    output = tmp_path / "out"
    reason = "column 2 (tag): expected 2 columns, received 1"
    first = "; ".join(f"{bad}:{line}: {reason}" for line in (7, 9, 11, 13, 15))
    assert refused(output, bad, *files[1:]) == (
        "The preparation did not finish: 7 of 70 sentences (10.0%) were rejected, and "
        f"`max_rejects` allows 1.0%. First rejects: {first}. All of them, with their text: "
        f"{output}/rejects/rejects.jsonl. Correct the input or its description, or raise "
        "`max_rejects`."
    )
    assert len(tree(output)["rejects/rejects.jsonl"].splitlines()) == 7


def test_a_file_that_breaks_off_is_refused_however_large_the_rest(tmp_path):
    whole = "".join(f"{index}\t{'OX'[index % 2]}\n\n" for index in range(1000))
    path = tmp_path / "train.conll.gz"
    path.write_bytes(gzip.compress(whole.encode())[:-20])
    with pytest.raises(PrepareError, match="1 of the input files cannot be read to the end") as e:
        prepare_tagging(tmp_path / "out", path)
    assert f"First rejects: {path}:" in str(e.value)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_an_empty_split_is_refused(files, tmp_path):
    blank = tmp_path / "blank.conll"
    blank.write_text("\n\n")
    assert refused(tmp_path / "out", files[0], blank, files[2]) == (
        "The preparation did not finish: the eval split has no sentence (300 train, 0 eval, "
        "30 test; 0 rejected). Give more sentences, or files for `dev`."
    )
    assert "train split has no sentence (0 train" in refused(
        tmp_path / "out", blank, *files[1:], max_rejects=1.0
    )


def test_a_runner_that_loses_sentences_is_found_out(files, tmp_path, monkeypatch):
    """As Beam's runner did with several processes on a machine with too much to do."""
    kept = GroupByContent.finish_bundle

    def lose(self):
        for bucket in list(self._buckets)[:3]:
            del self._buckets[bucket]
        yield from kept(self)

    monkeypatch.setattr(GroupByContent, "finish_bundle", lose)
    message = refused(tmp_path / "out", *files)
    lost = re.fullmatch(
        r"The preparation did not finish: 360 sentences were read and (\d+) arrived: the runner "
        r"lost or repeated data. Run it again, with one worker or another runner.",
        message,
    )
    assert 0 < int(lost[1]) < 360


def test_one_tag_only_is_refused(tmp_path):
    args = [write(tmp_path / name, [[(f"{name}{n}", "O")] for n in range(5)]) for name in "abc"]
    assert refused(tmp_path / "out", *args) == (
        "The preparation did not finish: the training split has one tag only, 'O', and needs "
        "two. Check which column or field holds the tags."
    )


def test_a_vocabulary_of_only_specials_is_refused(files, tmp_path):
    message = refused(tmp_path / "out", *files, min_count=100_000)
    assert message.startswith(
        "The preparation did not finish: no vocabulary can be made: `min_count` must leave"
    )
    assert message.endswith("Received: min_count=100000. Correct the named argument or the input.")


def test_a_failed_preparation_removes_the_manifest_of_an_earlier_one(files, tmp_path):
    prepare_tagging(tmp_path / "out", *files)
    assert (tmp_path / "out" / "manifest.json").exists()
    refused(tmp_path / "out", *files, min_count=100_000)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_shards": 0}, "`num_shards` must be at least 1. Received: num_shards=0"),
        ({"min_count": 0}, "`min_count` must be at least 1. Received: min_count=0"),
        (
            {"max_rejects": 1.5},
            "`max_rejects` must be a share from 0 to 1. Received: max_rejects=1.5",
        ),
        (
            {"train_encoding": "bioes"},
            "`train_encoding` must be None where the tags of the files mark no spans. "
            "Received: train_encoding='bioes'",
        ),
        (
            {"encoding": "bio", "train_encoding": "none"},
            "`train_encoding` must be one of bio, iob1, bioes, bilou. "
            "Received: train_encoding='none'",
        ),
        (
            {"vocabulary_size": 2},
            "`vocabulary_size` must be at least 3, the two specials and a word. "
            "Received: vocabulary_size=2",
        ),
        (
            {"output_format": "avro"},
            "`output_format` must be one of tfrecord, parquet. Received: output_format='avro'",
        ),
        (
            {"normal_form": "nfd"},
            "`normal_form` must be 'nfc', 'nfkc' or None. Received: normal_form='nfd'",
        ),
        (
            {"pipeline_options": ["--runner=DaskRunner"]},
            "`pipeline_options` must not ask for the DaskRunner: it writes no shard and reports "
            "success. Received: pipeline_options=[..., '--runner=DaskRunner']",
        ),
    ],
)
def test_wrong_options_write_nothing(files, tmp_path, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        prepare_tagging(tmp_path / "out", *files, **options)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


def test_an_unknown_runner_is_named(files, tmp_path):
    with pytest.raises(ValueError, match="must name a runner of Beam.*'--runner=Sparkle'"):
        prepare_tagging(tmp_path / "out", *files, pipeline_options=["--runner=Sparkle"])


def test_an_output_that_is_a_file_is_refused(files, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="`output` must be a folder, and this is a file"):
        prepare_tagging(tmp_path / "out", *files)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from seqnlp.preprocessing import PrepareError, prepare_tagging
try:
    prepare_tagging(sys.argv[3], *sys.argv[4:], min_count=1, output_format=sys.argv[2])
except PrepareError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(("output_format", "ending"), OUTPUT_FORMATS.items())
def test_a_full_disk_is_one_sentence_and_leaves_no_half_written_file(
    files, tmp_path, output_format, ending
):
    output = tmp_path / "out"
    program = [sys.executable, "-c", LIMITED, "1000", output_format]
    args = [*program, str(output), files[0][0], *files[1:]]
    done = subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.fullmatch(
        f"The preparation did not finish: cannot write {output}/Split-\\w+/examples-0000\\d-of-"
        f"0000\\d{ending}: File too large. Make room or correct the permissions, and run it "
        "again into the same folder.",
        done.stderr.splitlines()[-1],
    )
    assert [name for name in tree(output) if "tmp" in name or "manifest" in name] == []
