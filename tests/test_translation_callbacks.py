"""Translating during training, what TensorBoard shows of it, and the last epochs' weights."""

import keras
import numpy as np
import pytest
from keras import ops
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seqnlp import plot
from seqnlp.callbacks import KeepLast, TensorBoardTranslator, TranslationEvaluation, Translations
from seqnlp.callbacks.phrases import phrase_vectors, source_phrases
from seqnlp.decoding import beam_search, greedy
from seqnlp.layers import LuongAttention, RNNDecoder, RNNEncoder
from seqnlp.losses import SequenceCrossEntropy
from seqnlp.metrics import bleu
from seqnlp.models import RNNSeq2Seq, TransformerSeq2Seq
from seqnlp.text import TranslationNames

PIECES = ["[PAD]", "[UNK]", "[START]", "[END]", "▁a", "▁b", "▁c", "d", *"efghijklmnopqrst"]
NAMES = TranslationNames(PIECES, PIECES)
SOURCE = np.array([[4, 5, 3, 0], [6, 7, 4, 3], [0, 0, 0, 0]], dtype="int32")
TARGET = np.array([[2, 5, 4, 0], [2, 4, 6, 7], [2, 0, 0, 0]], dtype="int32")
LABELS = np.array([[5, 4, 3, 0], [4, 6, 7, 3], [0, 0, 0, 0]], dtype="int32")
BATCH = ({"source_ids": SOURCE, "target_ids": TARGET}, LABELS, np.array([1, 1, 0], "float32"))


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    decoder = RNNDecoder(16, "gru", attention=LuongAttention("dot"), attend="after")
    made = RNNSeq2Seq(24, 24, RNNEncoder(8, "gru"), decoder, 16, bridge="state")
    made.build({"source_ids": (None, None), "target_ids": (None, None)})
    made.compile(keras.optimizers.Adam(0.03), SequenceCrossEntropy())
    return made


@pytest.mark.parametrize("beam_width", [1, 2])
def test_translations_are_those_of_the_decoder_without_filling(model, beam_width):
    state = model.initial_state(ops.convert_to_tensor(SOURCE[:2]), 16)
    search = model.step, state, ops.full((2,), 2, dtype="int32"), 3, 16
    if beam_width == 1:
        found = greedy(*search)
        rows = zip(np.asarray(found.token_ids), np.asarray(found.lengths), strict=True)
    else:
        found = beam_search(*search, beam_width=beam_width)
        rows = zip(np.asarray(found.token_ids)[:, 0], np.asarray(found.lengths)[:, 0], strict=True)
    expected = [row[:length].tolist() for row, length in rows]
    assert Translations(model, beam_width).ids([BATCH]) == expected


def test_translations_follow_the_weights_as_they_are_trained(model):
    translations = Translations(model)
    model.output_bias.assign(100.0 * np.eye(24)[5])
    assert translations.ids([BATCH])[0] == [5] * 16
    model.output_bias.assign(100.0 * np.eye(24)[6])
    assert translations.ids([BATCH])[0] == [6] * 16


def test_evaluation_adds_the_scores_of_its_sentences(model, capsys):
    references = ["b a", "a cd"]
    evaluation = TranslationEvaluation([BATCH], references, NAMES.target_sentences, "char")
    inputs, labels, weight = BATCH
    settings = {"sample_weight": weight, "batch_size": 3, "verbose": 0}
    model.fit(inputs, labels, epochs=100, **settings)
    history = model.fit(inputs, labels, epochs=2, callbacks=[evaluation], **settings).history
    signature = bleu(references, references, "char").signature
    assert capsys.readouterr().out.count(f"val_bleu: {signature}") == 1
    found = NAMES.target_sentences(Translations(model).ids([BATCH]))
    assert found == references
    assert history["val_bleu"][-1] == pytest.approx(bleu(found, references, "char").score)
    assert history["val_chrf"][-1] == pytest.approx(100)


def test_tensorboard_shows_translations_attention_and_a_map(model, tmp_path):
    pairs = [("a b", "b a"), ("cd a", "a cd"), ("", "")]
    batch = (*BATCH[:2], np.ones(3, "float32"))
    pictures = TensorBoardTranslator(tmp_path, pairs, batch, NAMES, Translations(model), drawn=1)
    model.fit(*BATCH[:2], epochs=2, batch_size=3, verbose=0, callbacks=[pictures])
    events = EventAccumulator(str(tmp_path / "translator"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == {"translations", "attention", "target pieces"}
    shown = [event.step for event in events.Tensors("attention")]
    assert shown == [0, 1]
    (text,) = events.Tensors("translations")[-1].tensor_proto.string_val
    assert text.decode().split("\n")[3].startswith("|cd a|a cd|")


def transformer():
    keras.utils.set_random_seed(0)
    made = TransformerSeq2Seq(24, 24, 8, 2, 12, num_layers=(1, 3))
    made.build({name: ids.shape for name, ids in BATCH[0].items()})
    return made


def test_the_heads_are_those_over_the_source_of_the_layer_before_the_last(monkeypatch):
    model, drawn = transformer(), {}
    monkeypatch.setattr(plot, "heads", lambda weights, *_, title: drawn.update({title: weights}))
    pictures = TensorBoardTranslator("", [], BATCH, NAMES, None, drawn=1)
    pictures.set_model(model)
    pictures.attention()
    expected = model.attention_weights(BATCH[0])["decoder_1_source"]
    assert list(drawn) == ["decoder_1_source"]
    np.testing.assert_allclose(
        drawn["decoder_1_source"], ops.convert_to_numpy(expected)[1], rtol=1e-5, atol=1e-6
    )


PHRASES = {"a b": [4, 5, 3], "a b cd": [4, 5, 6, 7, 3], "b cd": [5, 6, 7, 3], "cd a": [6, 7, 4, 3]}


def test_phrases_are_two_to_four_words_each_once():
    rows = [[4, 5, 6, 7, 3], [4, 5, 3], [6, 7, 4, 3], [4, 3], [3]]
    assert source_phrases(rows, NAMES, 400) == PHRASES
    assert list(source_phrases(rows, NAMES, 2)) == list(PHRASES)[:2]


def test_a_phrase_has_the_vector_that_the_decoder_begins_with(model):
    found = phrase_vectors(model, list(PHRASES.values()))
    for ids, vector in zip(PHRASES.values(), found, strict=True):
        ((alone,),), _, _ = model.encode(np.array([ids], "int32"))
        np.testing.assert_allclose(vector, ops.convert_to_numpy(alone)[0], rtol=1e-5, atol=1e-6)


def test_maps_are_of_target_pieces_and_of_source_phrases(model, monkeypatch):
    drawn = []
    monkeypatch.setattr(plot, "embedding_map", lambda vectors, words: drawn.append(words))
    rows = np.random.default_rng(0).integers(4, 8, size=(2, 9))
    batch = {"source_ids": np.pad(rows, [(0, 0), (0, 1)], constant_values=3)}, None, None
    pictures = TensorBoardTranslator("", [], batch, NAMES, None)
    pictures.set_model(model)
    assert list(pictures.maps()) == ["target pieces", "source phrases"]
    assert drawn[0] == PIECES[4:]
    assert drawn[1] == list(source_phrases(batch[0]["source_ids"].tolist(), NAMES, 400))


@pytest.mark.parametrize("change", ["few", "not finite"])
def test_what_cannot_be_mapped_is_not_drawn(model, change):
    names = NAMES
    if change == "few":
        names = TranslationNames(PIECES[:9], PIECES[:9])
        model = RNNSeq2Seq(9, 9, RNNEncoder(4, "gru"), RNNDecoder(8, "gru"), 6, bridge="state")
        model.build({"source_ids": (None, None), "target_ids": (None, None)})
    else:
        table = model.target_embedding.embeddings
        table.assign(np.full(table.shape, np.nan))
    pictures = TensorBoardTranslator("", [], BATCH, names, None)
    pictures.set_model(model)
    assert pictures.maps() == {}


def test_a_model_without_attention_has_no_picture_of_it(tmp_path):
    model = RNNSeq2Seq(24, 24, RNNEncoder(4, "gru"), RNNDecoder(8, "gru"), 6, bridge="state")
    pictures = TensorBoardTranslator(tmp_path, [], BATCH, NAMES, None)
    pictures.set_model(model)
    assert pictures.attention() == {}


def test_the_last_epochs_are_kept_and_can_be_averaged(model, tmp_path):
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
    )
    last = KeepLast(tmp_path / "last", 2)
    model.fit(*BATCH[:2], epochs=4, batch_size=3, verbose=0, callbacks=[last, note])
    assert sorted(last.paths()) == [3, 4]
    kept = [weights[0] for weights in last.checkpoints()]
    np.testing.assert_array_equal(kept, seen[2:])


def test_no_epochs_to_keep_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`number` must be at least 1. Received: number=0"):
        KeepLast(tmp_path, 0)


def test_sentences_are_joined_from_pieces():
    rows = [[4, 7, 5], [], [1, 6]]
    assert NAMES.target_sentences(rows) == ["ad b", "", "\u2047  c"]
    words = TranslationNames([], ["[PAD]", "ro", "##ad", "way"])
    assert words.target_sentences([[1, 2, 3]]) == ["road way"]
