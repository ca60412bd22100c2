"""The whole path on a small corpus, and what each stage leaves."""

import json
import pathlib
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from pipelines import tagging
from pipelines.tagging_evaluation import most_frequent_tags
from seqnlp import tag_schemes
from seqnlp.records import read_sentences


def test_run_leaves_the_results_of_every_stage(finished):
    expected = [
        "examples/manifest.json",
        "model.keras",
        "model.text/vocabulary.txt",
        "logs/history.json",
        "logs/projector_config.pbtxt",
        "evaluation.json",
        "confusion.png",
        "errors.txt",
        "serving/tagger/1/saved_model.pb",
        "serving/tagger/1/assets.extra/tf_serving_warmup_requests",
    ]
    assert [name for name in expected if not (finished / name).exists()] == []


def test_a_finished_training_leaves_no_backup(finished):
    assert not (finished / "backup").exists()


def test_evaluation_scores_every_sentence_of_the_test_split(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    assert report["sentences"] == 60
    assert set(report["scores"]) == {"model", "most frequent tag"}
    assert 0 < report["scores"]["model"]["token_accuracy"] < 1


def test_blessing_follows_the_scores(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    better = report["scores"]["model"]["f1"] > report["scores"]["most frequent tag"]["f1"]
    assert report["blessed"] == better
    assert (finished / "BLESSED").exists() == better
    assert (finished / "NOT_BLESSED").exists() != better


def copy_of(finished, tmp_path, *names):
    for name in names:
        source, target = finished / name, tmp_path / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return tmp_path


def test_a_model_does_not_beat_itself(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    tagging.run(["evaluate", f"--output={output}", f"--previous={finished / 'model.keras'}"])
    report = json.loads((output / "evaluation.json").read_text())
    assert report["scores"]["previous model"] == report["scores"]["model"]
    assert (output / "NOT_BLESSED").exists()


def test_a_previous_model_reads_with_its_own_vocabulary(finished, files, tmp_path):
    output = copy_of(finished, tmp_path, "model.keras", "model.text")
    options = [option for option in files if not option.startswith("--train")]
    half = tmp_path / "half.conll"
    train = next(option for option in files if option.startswith("--train"))
    text = pathlib.Path(train.removeprefix("--train=")).read_text(encoding="utf-8")
    half.write_text("\n\n".join(text.split("\n\n")[:200]) + "\n\n", encoding="utf-8")
    prepare = ["prepare", f"--output={output}", f"--train={half}", *options, "--max_rejects=0.5"]
    tagging.run(prepare)
    tagging.run(["evaluate", f"--output={output}", f"--previous={finished / 'model.keras'}"])
    report = json.loads((output / "evaluation.json").read_text())
    assert report["scores"]["previous model"] == report["scores"]["model"]


def test_a_previous_model_of_another_encoding_is_scored_by_its_spans(finished, files, tmp_path):
    output = copy_of(finished, tmp_path, "model.keras", "model.text")
    tagging.run(["prepare", f"--output={output}", *files, "--train_encoding=bioes"])
    tagging.run(["evaluate", f"--output={output}"])
    scores = json.loads((output / "evaluation.json").read_text())["scores"]["model"]
    before = json.loads((finished / "evaluation.json").read_text())["scores"]["model"]
    for name in ("precision", "recall", "f1"):
        assert scores[name] == before[name]


def test_training_anew_forgets_the_old_model_and_its_blessing(finished, tmp_path, tiny):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    (output / "BLESSED").touch()
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("to 0.1 0.2 0.3\n")
    with pytest.raises(ValueError, match="`--word_units` must be"):
        tagging.run(["train", f"--output={output}", *tiny, f"--word_vectors={vectors}"])
    assert not (output / "BLESSED").exists()


def test_a_semi_markov_tagger_scores_spans_as_long_as_in_training(
    finished, tmp_path, tiny, capsys
):
    output = copy_of(finished, tmp_path, "examples")
    options = ["--head=semi_markov_crf", "--char_encoder=kim"]
    tagging.run(["train", f"--output={output}", *tiny, *options])
    lengths = [
        end - start
        for _, tags in read_sentences(str(output / "examples"), "train")
        for _, start, end in tag_schemes.spans(tags, "bio")
    ]
    assert 1 < max(lengths) < 10
    expected = f"at most {max(lengths)} tokens; 0 of {len(lengths)} spans in training are longer"
    assert expected in capsys.readouterr().out
    tagging.run(["evaluate", f"--output={output}"])
    report = json.loads((output / "evaluation.json").read_text())
    assert 0 < report["scores"]["model"]["token_accuracy"] < 1


def test_segments_need_tags_that_mark_spans(files, tmp_path, tiny):
    files = [option for option in files if not option.startswith("--encoding")]
    tagging.run(["prepare", f"--output={tmp_path}", *files])
    message = (
        "`--head` must be crf or softmax where tags mark no spans, as with --encoding none. "
        "Received: --head=semi_markov_crf"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging.run(["train", f"--output={tmp_path}", *tiny, "--head=semi_markov_crf"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--max_segment_length=4"],
            "`--max_segment_length` must be given with --head semi_markov_crf alone, as no other "
            "head scores segments. Received: --max_segment_length=4",
        ),
        (
            ["--char_encoder=kim", "--char_encoder_units=4"],
            "`--char_encoder_units` must not be given with --char_encoder kim, which has the "
            "sizes of its paper. Received: --char_encoder_units=4",
        ),
    ],
)
def test_options_of_the_model_that_do_not_go_together_are_refused(
    finished, tmp_path, tiny, arguments, message
):
    output = copy_of(finished, tmp_path, "examples")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging.run(["train", f"--output={output}", *tiny, *arguments])


def test_export_keeps_the_tokenizer_that_it_was_given(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    options = ["--export_anyway", "--tokenizer=whitespace", "--max_request_tokens=2"]
    tagging.run(["export", f"--output={output}", *options])
    loaded = tf.saved_model.load(str(output / "serving" / "tagger" / "1"))
    answer = loaded.signatures["serving_default"](text=tf.constant(["can't stop now"]))
    assert answer["tokens"].numpy().tolist() == [[b"can't", b"stop"]]
    assert answer["truncated"].numpy().tolist() == [True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tset=x.conll"], "the options must be the pipeline's .* Received: --tset=x.conll"),
        (["--encoding=bio"], "`--train` must be given with --encoding"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        tagging.run(["prepare", f"--output={tmp_path}", *arguments])


@pytest.mark.parametrize(
    "argument",
    [
        "--batch_size=0",
        "--epochs=-1",
        "--word_dropout=-1",
        "--dropout=1",
        "--output=gs://x",
        "--output=a[b]",
    ],
)
def test_a_value_out_of_range_is_refused(capsys, argument):
    with pytest.raises(SystemExit):
        tagging.run(["train", "--output=x", argument])
    assert f"argument {argument.split('=')[0]}: expected " in capsys.readouterr().err


def test_a_model_that_is_not_blessed_is_not_exported(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    with pytest.raises(ValueError, match="expected the mark of a model that beat its rivals"):
        tagging.run(["export", f"--output={output}"])


def test_export_numbers_its_versions_upwards(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    (output / "serving" / "tagger" / "9").mkdir(parents=True)
    tagging.run(["export", f"--output={output}", "--export_anyway"])
    names = sorted(path.name for path in (output / "serving" / "tagger").iterdir())
    assert names == ["10", "9"]


def test_most_frequent_tag_of_a_token_and_of_all_where_it_is_unseen(monkeypatch):
    train = [(["a", "b"], ["X", "O"]), (["a", "a"], ["Y", "Y"]), (["c", "c"], ["O", "O"])]
    monkeypatch.setattr("pipelines.tagging_evaluation.read_sentences", lambda *_: iter(train))
    assert most_frequent_tags("", [(["a", "b", "new"], ["O"] * 3)]) == [["Y", "O", "O"]]


def test_the_same_seed_trains_the_same_model(files, tiny, finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples")
    tagging.run(["train", f"--output={output}", *tiny])
    first, second = (
        json.loads((folder / "logs" / "history.json").read_text()) for folder in (finished, output)
    )
    for name in ("loss", "val_f1"):
        losses = [[epoch[name] for epoch in history] for history in (first, second)]
        np.testing.assert_allclose(*losses, rtol=0.02)
