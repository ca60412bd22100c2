"""Every stage of the pipeline that answers questions, on a small corpus with a small model."""

import json
import shutil

import keras
import pytest

from pipelines import question_answering
from pipelines.question_answering_evaluation import first_words
from seqnlp.models import BERTPretrainer
from seqnlp.records import AskedQuestion
from seqnlp.samples import write_questions
from seqnlp.text import BERTNames

TINY = ["--epochs=1", "--steps_per_epoch=2", "--batch_size=8", "--jit=false", "--export_anyway"]
SIZES = ["--max_length=48", "--max_question_length=12", "--stride=16", "--vocabulary_size=400"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The options that name a corpus in which some questions have no answer."""
    paths = write_questions(tmp_path_factory.mktemp("corpus"), limit=12, unanswerable=0.3)
    names = {"train": "--train", "eval": "--dev", "test": "--test"}
    return [f"{name}={paths[split]}" for split, name in names.items()]


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    """Folder in which every stage but the check ran."""
    output = tmp_path_factory.mktemp("finished")
    for stage in ("prepare", "train", "evaluate", "export"):
        question_answering.run([stage, f"--output={output}", *files, *SIZES, *TINY])
    return output


@pytest.mark.slow
def test_each_stage_leaves_what_the_next_one_reads(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"examples", "model.keras", "model.text", "logs", "serving"} <= names
    assert {"evaluation.json", "errors.txt", "probabilities.png"} <= names
    assert len(names & {"BLESSED", "NOT_BLESSED"}) == 1


@pytest.mark.slow
def test_the_report_has_the_rivals_and_a_threshold(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    assert set(report["scores"]) == {"model", "first words", "no answer"}
    assert report["counting"] == "squad"
    assert isinstance(report["threshold"], float)
    silent = report["scores"]["no answer"]
    assert silent["no_answer_accuracy"] == 100
    assert silent["f1"] == silent["exact_match"] > 10
    assert report["best_threshold"]["f1"] >= report["scores"]["model"]["f1"]


@pytest.mark.slow
def test_the_export_answers_by_the_threshold_of_the_evaluation(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    note = finished / "serving" / "answerer" / "1" / "assets.extra" / "answering.json"
    assert json.loads(note.read_text()) == {
        "max_answer_length": 30,
        "n_best": 5,
        "threshold": report["threshold"],
    }


@pytest.mark.slow
def test_the_export_is_served_as_the_model_answers(finished, capsys):
    question_answering.run(["check", f"--output={finished}", *TINY])
    assert "requests agree" in capsys.readouterr().out


@pytest.mark.slow
def test_an_export_without_the_threshold_is_refused(finished, program):
    report = finished / "evaluation.json"
    kept = report.read_text()
    report.unlink()
    done = program("export", f"--output={finished}", *TINY, task="question_answering")
    report.write_text(kept)
    assert done.returncode == 1
    assert done.stderr.strip().split("\n")[-1] == (
        f"error: {report}: expected the threshold of what is not answered; run the evaluate stage "
        "first. Received: no such file"
    )


@pytest.mark.slow
def test_a_previous_model_is_a_rival(finished, capsys):
    options = [f"--output={finished}", f"--previous={finished / 'model.keras'}", *TINY]
    question_answering.run(["evaluate", *options])
    scores = json.loads((finished / "evaluation.json").read_text())["scores"]
    assert scores["previous model"] == scores["model"]
    assert (finished / "NOT_BLESSED").exists()


@pytest.mark.slow
def test_an_encoder_lends_its_vocabulary_and_its_weights(finished, files, tmp_path):
    """Any `.keras` file with an encoder and its text will do."""
    encoder = keras.models.load_model(finished / "model.keras", compile=False).encoder
    pretrainer = BERTPretrainer(encoder)
    shapes = dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None))
    pretrainer.build(shapes)
    pretrainer.save(tmp_path / "model.keras")
    shutil.copytree(finished / "model.text", tmp_path / "model.text")
    given = [f"--encoder={tmp_path / 'model.keras'}", *TINY, *SIZES[:3]]
    output = tmp_path / "output"
    for stage in ("prepare", "train"):
        question_answering.run([stage, f"--output={output}", *files, *given])
    pieces = [BERTNames.load(str(folder / "examples")).pieces for folder in (output, finished)]
    assert pieces[0] == pieces[1]


@pytest.mark.slow
def test_jax_trains_on_parquet_without_tensorflow_and_beam(files, tmp_path, command, without):
    prepared = ["--output_format=parquet", *SIZES]
    question_answering.run(["prepare", f"--output={tmp_path}", *files, *prepared])
    done = command(
        "train",
        f"--output={tmp_path}",
        *TINY[:3],
        task="question_answering",
        env=without("tensorflow", "tensorflow_text", "apache_beam"),
    )
    assert done.returncode == 0, done.stderr
    assert "val_f1" in done.stdout
    assert (tmp_path / "model.keras").exists()


def test_the_baseline_is_as_long_as_an_answer():
    def asked(context, *answers):
        return AskedQuestion("q", "Who?", context, list(answers), [])

    training = [asked("", "one"), asked("", "one two three"), asked("", "a b c d"), asked("")]
    questions = [asked("Anna Bell flies to Rome."), asked("Oslo")]
    assert first_words(training, questions) == ["Anna Bell flies", "Oslo"]
