"""What TensorBoard shows of a BERT, on a hand-made model."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seqnlp import plot
from seqnlp.callbacks import TensorBoardPretrainer
from seqnlp.callbacks.tables import plain
from seqnlp.text import BERTNames

NAMES = BERTNames(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b|", "##c"])
BATCH = (
    {
        "token_ids": np.array([[2, 4, 6, 3, 4, 3], [2, 5, 3, 4, 3, 0], [0] * 6]),
        "segment_ids": np.array([[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0], [0] * 6]),
        "positions": np.array([[1, 4], [3, 0], [0, 0]]),
    },
    {
        "masked_lm": np.array([[5, 7], [6, 0], [0, 0]]),
        "next_sentence": np.array([0, 1, 0]),
    },
    {
        "masked_lm": np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]),
        "next_sentence": np.array([1.0, 1.0, 0.0]),
    },
)


class Fixed:
    """A model that gives set logits, and attends to what is told by number of layer and head."""

    def __init__(self):
        self.encoder = self
        self.config = {"num_layers": 2}

    def __call__(self, inputs, training):
        assert training is False
        number = len(inputs["token_ids"])
        logits = np.zeros((3, 2, 8), "float32")
        logits[0, 0, [5, 7, 6]] = 3, 2, 1  # a, then ##c, then b|
        logits[0, 1, [6, 5, 1]] = 3, 2, 1
        logits[1, 0, [7, 6, 5]] = 3, 2, 1
        follows = np.array([[np.log(3.0), 0.0], [0.0, 0.0], [0.0, 9.0]])
        return {"masked_lm": logits[:number], "next_sentence": follows[:number]}

    def attention_weights(self, inputs):
        rows, time = inputs["token_ids"].shape
        size = (rows, 2, time, time)
        weights = [np.full(size, layer / 10, "float32") for layer in range(2)]
        weights[1][:, 1] = 0.5
        return weights


@pytest.fixture
def shown(tmp_path):
    """Makes the callback with the model."""

    def with_settings(**settings):
        callback = TensorBoardPretrainer(tmp_path, BATCH, NAMES, **settings)
        callback.set_model(Fixed())
        return callback

    return with_settings


def test_the_table_has_what_was_hidden_and_the_guesses(shown):
    assert shown(rows=2).table().split("\n") == [
        "|pair|hidden|guesses|follows (probability)|",
        "|---|---|---|---|",
        "|".join(
            [
                "",
                plain("[CLS] [MASK] b| [SEP] [MASK] [SEP]"),
                plain("a / ##c"),
                plain("a ##c b| / b| a [UNK]"),
                "yes (0.75)",
                "",
            ]
        ),
        "|".join(
            [
                "",
                plain("[CLS] a [SEP] [MASK] [SEP]"),
                plain("b|"),
                plain("##c b| a"),
                "no (0.50)",
                "",
            ]
        ),
    ]


def test_a_bar_in_a_piece_is_no_cell(shown):
    assert {line.count("|") for line in shown(rows=2).table().split("\n")} == {5}


def test_rows_of_padding_are_no_pairs(shown):
    assert len(shown().table().split("\n")) == 4


def test_the_heads_are_those_of_the_last_layer_without_padding(shown, monkeypatch):
    drawn = []
    monkeypatch.setattr(plot, "heads", lambda *arguments, **more: drawn.append((arguments, more)))
    shown(drawn=1).heads()
    (((weights, source, target), more),) = drawn
    assert source == target == ["[CLS]", "a", "[SEP]", "[MASK]", "[SEP]"]
    assert more == {"title": "attention of each piece to each, layer 2 of 2"}
    assert weights.shape == (2, 5, 5)
    np.testing.assert_allclose(weights[:, 0, 0], [0.1, 0.5])


def test_an_epoch_writes_the_table_and_the_picture(shown, tmp_path):
    callback = shown()
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    events = EventAccumulator(str(tmp_path / "pretrainer"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == {"hidden pieces", "heads"}
    assert [event.step for event in events.Tensors("heads")] == [0, 1]
    (text,) = events.Tensors("hidden pieces")[-1].tensor_proto.string_val
    assert text.decode() == callback.table()
