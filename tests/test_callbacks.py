"""Callbacks on a small tagger and on hand-made ones; event files are read back."""

import json
import os
import types

import keras
import numpy as np
import pytest

from seqnlp import callbacks
from seqnlp.layers import CRF
from seqnlp.models import Tagger

NAMES = ["O", "B-a", "I-a"]
WORDS = np.array([[1, 2, 3], [2, 1, 0], [3, 0, 0], [1, 1, 1]])
TAGS = np.array([[0, 1, 2], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
WEIGHT = np.array([1.0, 1.0, 1.0, 0.0])
BATCHES = [({"word_ids": WORDS}, TAGS, WEIGHT)]


class Fixed:
    """A model that answers with given tags."""

    def __init__(self, tags, **more):
        self.tags = np.array(tags)
        self.more = more
        self.stop_training = False
        self.optimizer = types.SimpleNamespace(iterations=0)

    def predict_on_batch(self, inputs):
        return {"tags": self.tags, "mask": inputs["word_ids"] != 0, **self.more}

    def save(self, path):
        with open(path, "w") as file:
            file.write(str(self.tags.tolist()))


def with_model(callback, model):
    callback.set_model(model)
    return callback


def test_decode_gives_the_real_tokens_of_rows_that_count():
    true, predicted, labels = callbacks.decode(Fixed(TAGS + 1), BATCHES * 2)
    assert labels == []
    assert [row.tolist() for row in true] == [[0, 1, 2], [1, 0], [0]] * 2
    assert [row.tolist() for row in predicted] == [[1, 2, 3], [2, 1], [1]] * 2


def test_tag_scores_counts_tokens_and_spans():
    true = [["O", "B-a", "I-a"], ["B-a", "O"]]
    predicted = [["O", "B-a", "I-a"], ["O", "B-a"]]
    scores = callbacks.tag_scores(true, predicted, "bio")
    assert scores == {"token_accuracy": 0.6, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert callbacks.tag_scores(true, predicted, "none") == {"token_accuracy": 0.6}
    assert callbacks.tag_scores([], [], "none") == {"token_accuracy": 0}


def test_joint_score_is_the_mean_of_both_tasks():
    true, predicted = [["O", "B-a", "I-a"], ["B-a", "O"]], [["O", "B-a", "I-a"], ["O", "B-a"]]
    scores = callbacks.joint_scores(true, predicted, [("x", "x"), ("y", "y")], "bio")
    assert scores.pop("joint_score") == 0.75
    assert scores.pop("label_accuracy") == 1
    assert scores.pop("exact_match") == 0.5
    assert scores == callbacks.tag_scores(true, predicted, "bio")


def test_tag_evaluation_adds_to_the_logs():
    guesses = [[0, 1, 2], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    evaluation = with_model(callbacks.TagEvaluation(BATCHES, NAMES, "bio"), Fixed(guesses))
    logs = {"loss": 1.0}
    evaluation.on_epoch_end(0, logs)
    assert logs.pop("val_f1") == pytest.approx(2 / 3)
    assert logs == {
        "loss": 1.0,
        "val_token_accuracy": pytest.approx(5 / 6),
        "val_precision": 1.0,
        "val_recall": 0.5,
    }


def test_tag_evaluation_adds_the_scores_of_labels():
    labels = {"tags": TAGS, "label": np.array([1, 0, 1, 0])}
    guesses = Fixed([[0, 1, 2], [0, 0, 0], [0, 0, 0], [0, 0, 0]], label=np.array([0, 0, 1, 1]))
    batches = [({"word_ids": WORDS}, labels, WEIGHT)]
    logs = {}
    with_model(callbacks.TagEvaluation(batches, NAMES), guesses).on_epoch_end(0, logs)
    assert logs == {
        "val_token_accuracy": pytest.approx(5 / 6),
        "val_label_accuracy": pytest.approx(2 / 3),
        "val_exact_match": pytest.approx(1 / 3),  # the last row that counts
        "val_joint_score": pytest.approx(3 / 4),
    }


def test_a_model_without_labels_has_no_scores_of_them():
    batches = [({"word_ids": WORDS}, {"tags": TAGS, "label": WEIGHT}, WEIGHT)]
    assert callbacks.decode(Fixed(TAGS), batches)[2] == []


def keep_best(folder, **arguments):
    keep = callbacks.KeepBest(folder / "m.keras", "val_f1", folder / "history.json", **arguments)
    return with_model(keep, Fixed([0]))


def run_epochs(keep, scores, first=0):
    """Ends an epoch with each score; the saved file tells the epoch that wrote it."""
    for epoch, score in enumerate(scores, start=first):
        keep.model.tags = np.array([epoch])
        keep.model.optimizer.iterations += 10
        keep.on_epoch_end(epoch, {"val_f1": score})
        if keep.model.stop_training:
            return epoch
    return None


def test_keep_best_keeps_the_first_of_the_best(tmp_path):
    keep = keep_best(tmp_path)
    run_epochs(keep, [0.1, 0.5, 0.3, 0.5])
    assert (tmp_path / "m.keras").read_text() == "[1]"
    assert keep.best_epoch == 1


def test_keep_best_notes_the_logs_and_the_steps_of_every_epoch(tmp_path):
    run_epochs(keep_best(tmp_path), [0.1, 0.5, 0.3])
    history = json.loads((tmp_path / "history.json").read_text())
    noted = [(10, 0.1), (20, 0.5), (30, 0.3)]
    assert history == [{"val_f1": score, "steps": steps} for steps, score in noted]


def test_keep_best_takes_no_score_that_is_not_a_number_for_the_best(tmp_path):
    run_epochs(keep_best(tmp_path), [0.2, float("nan"), 0.3])
    assert (tmp_path / "m.keras").read_text() == "[2]"


@pytest.mark.parametrize(("patience", "stopped"), [(1, 2), (2, 5), (None, None)])
def test_keep_best_ends_training_when_patience_does(tmp_path, patience, stopped):
    keep = keep_best(tmp_path, patience=patience)
    assert run_epochs(keep, [0.1, 0.4, 0.3, 0.5, 0.2, 0.5, 0.4]) == stopped


def test_keep_best_resumes_where_an_interrupted_run_left_off(tmp_path):
    run_epochs(keep_best(tmp_path), [0.1, 0.5, 0.9])
    again = keep_best(tmp_path)
    again.resume(2)  # the third epoch was written, but not finished
    assert again.best_epoch == 1
    run_epochs(again, [0.4], first=2)
    assert (tmp_path / "m.keras").read_text() == "[2]"  # what the unfinished epoch wrote
    run_epochs(again, [0.6], first=3)
    assert (tmp_path / "m.keras").read_text() == "[3]"
    assert len(json.loads((tmp_path / "history.json").read_text())) == 4


def test_keep_best_leaves_the_old_file_whole_when_saving_fails(tmp_path):
    keep = keep_best(tmp_path)
    run_epochs(keep, [0.1])

    def fail(path):
        with open(path, "w") as file:
            file.write("hal")
        raise OSError("no space left")

    keep.model.save = fail
    with pytest.raises(OSError, match="no space left"):
        keep.on_epoch_end(1, {"val_f1": 0.2})
    assert (tmp_path / "m.keras").read_text() == "[0]"


def test_keep_best_refuses_a_monitor_that_is_not_logged(tmp_path):
    with pytest.raises(ValueError, match="`monitor` must be one of the logs loss. Rec.*'val_f1'"):
        keep_best(tmp_path).on_epoch_end(0, {"loss": 1.0})


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """Folder of the logs after two epochs of a real tagger with all callbacks."""
    folder = tmp_path_factory.mktemp("logs")
    keras.utils.set_random_seed(0)
    model = Tagger(4, CRF(3), word_units=4, units=4)
    model.compile("adam", jit_compile=False)
    sentences = [(["<b>", "a|b", "*x*"], NAMES), (["_y", "`z"], ["B-a", "O"])]
    board = callbacks.TensorBoardTagger(
        folder, NAMES, sentences, {"word_ids": WORDS[:2]}, ["[PAD]", "[UNK]", "ein", "zwei"], 3
    )
    keep = callbacks.KeepBest(folder / "model.keras", "val_token_accuracy", folder / "h.json")
    steps = [callbacks.TagEvaluation(BATCHES, NAMES, "bio"), keep, board]
    history = model.fit(*BATCHES[0][:2], epochs=2, verbose=0, callbacks=steps).history
    return folder, model, board, history


def test_fit_takes_the_callbacks_and_reports_their_scores(logged):
    folder, model, _, history = logged
    assert {"val_f1", "val_precision", "val_recall", "val_token_accuracy"} <= set(history)
    loaded = keras.models.load_model(folder / "model.keras")
    assert loaded.count_params() == model.count_params()


def events(folder):
    import tensorflow as tf

    (name,) = os.listdir(folder / "tagger")
    for record in tf.data.TFRecordDataset(str(folder / "tagger" / name)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            yield event.step, value.tag, tf.make_ndarray(value.tensor)


def test_tensorboard_gets_a_picture_and_a_table_each_epoch(logged):
    found = {(step, tag): value for step, tag, value in events(logged[0])}
    assert set(found) == {(step, tag) for step in (0, 1) for tag in ("transitions", "sentences")}
    width, height, picture = found[1, "transitions"]
    assert (int(width), int(height)) == (500, 400)
    assert picture.startswith(b"\x89PNG")
    assert found[1, "sentences"].item().decode() == logged[2].table()


def test_the_table_shows_no_markup_of_the_text(logged):
    lines = logged[2].table().splitlines()
    assert lines[:2] == ["|sentence|true|predicted|", "|---|---|---|"]
    assert lines[2].startswith("|&#60;b&#62; a&#124;b &#42;x&#42;|a&#124;b/B-a &#42;x&#42;/I-a|")
    assert lines[3].startswith("|&#95;y &#96;z|")
    assert len(lines) == 4


def test_the_table_marks_wrong_tags():
    sentences = [(["x", "y"], ["O", "B-a"])]
    board = callbacks.TensorBoardTagger("logs", NAMES, sentences, {"word_ids": WORDS[1:2]})
    last = with_model(board, Fixed([[0, 2, 0]])).table().splitlines()[-1]
    assert last == "|x y|y/B-a|**y/I-a**|"


def test_the_projector_gets_vectors_and_their_words(logged):
    folder, model, *_ = logged
    vectors = np.loadtxt(folder / "vectors.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, model.word_embedding.get_weights()[0][:3], rtol=1e-4)
    assert (folder / "words.tsv").read_text().split() == ["[PAD]", "[UNK]", "ein"]
    from google.protobuf import text_format
    from tensorboard.plugins.projector import ProjectorConfig

    config = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert config.embeddings[0].tensor_path == "vectors.tsv"
    assert config.embeddings[0].metadata_path == "words.tsv"


def test_transitions_are_bordered_by_start_and_end_scores(logged):
    _, model, board, _ = logged
    (image,) = board.transitions().axes[0].images
    transitions, start, end = model.head.get_weights()
    np.testing.assert_allclose(image.get_array()[:3, :3], transitions, rtol=1e-6)
    np.testing.assert_allclose(image.get_array()[3, :3], start, rtol=1e-6)
    np.testing.assert_allclose(image.get_array()[:3, 3], end, rtol=1e-6)


def test_an_epoch_that_the_history_lacks_is_done_again(tmp_path):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("adam", "mse")
    backup = with_model(callbacks.Backup(tmp_path / "backup"), model)
    best = callbacks.KeepBest(tmp_path / "model.keras", "score", tmp_path / "history.json")
    assert (best.finished(), backup.restore(model, best.finished())) == (0, 0)
    for epoch in range(3):
        model.set_weights([np.full((2, 1), float(epoch)), np.zeros(1)])
        backup.on_epoch_end(epoch)
        if epoch < 2:  # the third is killed here
            with_model(best, model).on_epoch_end(epoch, {"score": epoch})
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "epoch-2.weights.h5",
        "epoch-3.weights.h5",
    ]
    assert backup.restore(model, best.finished()) == 2
    assert model.get_weights()[0].tolist() == [[1.0], [1.0]]
    assert backup.restore(model) == 3
