"""The signatures of a pretrained BERT."""

import tensorflow as tf

from seqnlp.export.text_vectors import text_vectors
from seqnlp.text import valid_utf8
from seqnlp.text.bert_names import GLUE, MASK
from seqnlp.text.bert_text import dense
from seqnlp.text.masked_text import fill_gaps, read_masked


def pretraining_signatures(model, text, n_best=5):
    """The signatures of a pretrained BERT.

    | name | in | out |
    |---|---|---|
    | `serving_default`, `embeddings` | `text` string `(batch,)` | `pooled` and `mean` float32
    `(batch, units)`, `truncated` bool `(batch,)` |
    | `fill_mask` | `text` with gaps, written [MASK] | `pieces` string and `scores` float32
    `(batch, gaps, n_best)`, `lengths` int32 `(batch,)`, `filled` string `(batch,)`, `truncated` |
    | `next_sentence` | `text`, `text_pair` string `(batch,)` | `follows` float32 `(batch,)`, the
    probability that the second text follows the first, `truncated` |

    `mean` is that of the states of all pieces, specials among them. `scores` are probabilities,
    the best first, `lengths` counts the gaps of a text, and behind them stand empty strings of
    score 0. `filled` is the text with the best piece in each gap. A text longer than the model
    reads is `truncated`: gaps behind its end count as none and stay as they are.

    Args:
        model: Built `seqnlp.models.BERTPretrainer`.
        text: `seqnlp.text.BERTText`.
        n_best: Pieces that `fill_mask` gives for a gap.

    Returns:
        Dict for `saved_model`.

    Raises:
        ValueError: `n_best` is out of range, or `text` does not fit the model.
    """
    size, positions = (model.encoder.config[name] for name in ("vocabulary_size", "max_length"))
    if not 1 <= n_best <= size:
        raise ValueError(
            f"`n_best` must be from 1 to {size}, the number of pieces. Received: n_best={n_best}"
        )
    if text.vocabulary_size != size or text.max_length > positions:
        raise ValueError(
            f"`text` must have {size} pieces and at most {positions} ids, as the model does. "
            f"Received: text with {text.vocabulary_size} and {text.max_length}"
        )
    served = _ServedPretrainer(model, text, n_best)
    strings = [tf.TensorSpec([None], tf.string, name="text")]
    pairs = [tf.TensorSpec([None], tf.string, name=name) for name in ("text", "text_pair")]
    return {
        "serving_default": (served.embeddings, strings),
        "embeddings": (served.embeddings, strings),
        "fill_mask": (served.fill_mask, strings),
        "next_sentence": (served.next_sentence, pairs),
    }


class _ServedPretrainer:
    """The signatures of a pretrained BERT."""

    def __init__(self, model, text, n_best):
        self.model = model
        self.text = text
        self.n_best = n_best
        # A table of its own, in the graph: pieces as they are written.
        self.pieces = tf.constant(text.names.pieces)
        self.written = tf.constant([piece.removeprefix(GLUE) for piece in text.names.pieces])

    def embeddings(self, text):
        inputs, truncated = self.text.inputs(valid_utf8(text))
        return {**text_vectors(self.model.encoder, inputs), "truncated": truncated}

    def fill_mask(self, text):
        parts, pieces = read_masked(self.text, valid_utf8(text))
        inputs, truncated = dense(self.text.frame(pieces))
        is_gap = inputs["token_ids"] == self.text.names.special_ids[MASK]
        positions = tf.ragged.boolean_mask(_places(is_gap), is_gap)
        gaps = tf.cast(positions.row_lengths(), tf.int32)
        most = tf.shape(positions.to_tensor())[1]
        # One place at least, as a model may not know how to answer at none.
        places = tf.pad(positions.to_tensor(), [[0, 0], [0, tf.cast(most == 0, tf.int32)]])
        logits = self.model({**inputs, "positions": places}, training=False)["masked_lm"]
        best = tf.math.top_k(tf.nn.softmax(logits[:, :most]), self.n_best)
        real = tf.sequence_mask(gaps, most)[..., None]
        filling = tf.gather(self.written, best.indices[..., 0])
        return {
            "pieces": tf.where(real, tf.gather(self.pieces, best.indices), ""),
            "scores": tf.where(real, best.values, 0.0),
            "lengths": gaps,
            "filled": fill_gaps(parts, tf.RaggedTensor.from_tensor(filling, gaps)),
            "truncated": truncated,
        }

    def next_sentence(self, text, text_pair):
        same = tf.debugging.assert_equal(
            tf.size(text), tf.size(text_pair), "`text_pair` must have one for each of `text`"
        )
        with tf.control_dependencies([] if same is None else [same]):
            inputs, truncated = self.text.inputs(valid_utf8(text), valid_utf8(text_pair))
        inputs["positions"] = tf.zeros([tf.shape(inputs["token_ids"])[0], 1], tf.int32)
        logits = self.model(inputs, training=False)["next_sentence"]
        return {"follows": tf.nn.softmax(logits)[:, 0], "truncated": truncated}


def _places(mask):
    """Int32 `(rows, time)`, the number of each column."""
    return tf.broadcast_to(tf.range(tf.shape(mask)[1]), tf.shape(mask))
