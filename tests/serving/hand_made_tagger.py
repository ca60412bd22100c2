"""A tagger without training, with the signatures of a real export: capitalised words are names."""

import tensorflow as tf

from serving.bare import load_text_ops, text_op_libraries

TAG_NAMES = ["O", "B-NAME", "B-TIME"]
MAX_TOKENS = 64


def _text_op():
    libraries = {path.name: path for path in text_op_libraries()}
    return tf.load_op_library(str(libraries["_normalize_ops.so"]))


class HandMadeTagger(tf.Module):
    """Splits at spaces; `Word` is a name, `12` a time."""

    def __init__(self):
        super().__init__()
        keys = tf.constant(["midnight"])
        initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([2], tf.int64))
        # A table and a variable, so that loading must restore both.
        self.table = tf.lookup.StaticHashTable(initializer, default_value=0)
        self.sure = tf.Variable(0.8)
        self.normalize = _text_op()

    def _tokens(self, text):
        pieces = tf.strings.split(text, " ")
        sizes = tf.strings.length(pieces)
        ends = tf.cumsum(sizes.with_values(sizes.values + 1).to_tensor(), axis=1) - 1
        ends = tf.RaggedTensor.from_tensor(ends, lengths=pieces.row_lengths())
        starts = ends - sizes
        real = sizes > 0
        parts = (pieces, starts, ends)
        tokens, starts, ends = (
            tf.ragged.boolean_mask(part, real)[:, :MAX_TOKENS] for part in parts
        )
        truncated = tf.reduce_sum(tf.cast(real, tf.int32), axis=1) > MAX_TOKENS
        return {
            "tokens": _dense(tokens),
            "starts": _dense(tf.cast(starts, tf.int64)),
            "ends": _dense(tf.cast(ends, tf.int64)),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "truncated": truncated,
        }

    def _tag_ids(self, tokens):
        ids = self.table.lookup(self.normalize.case_fold_utf8(tokens))
        ids = tf.where(tf.strings.regex_full_match(tokens, r"\d+"), tf.constant(2, tf.int64), ids)
        name = tf.strings.regex_full_match(tokens, r"\p{Lu}.*")
        return tf.where(name, tf.constant(1, tf.int64), ids)

    def _tags(self, tokens):
        return tf.gather(TAG_NAMES, self._tag_ids(tokens))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def plain(self, text):
        answer = self._tokens(text)
        return {**answer, "tags": _mask(self._tags(answer["tokens"]), answer["lengths"])}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.string, "tokens"),
            tf.TensorSpec([None], tf.int32, "lengths"),
        ]
    )
    def pretokenized(self, tokens, lengths):
        return {
            "tags": _mask(self._tags(tokens), lengths),
            "lengths": tf.identity(lengths),
            "truncated": tf.zeros_like(lengths, tf.bool),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def marginals(self, text):
        answer = self.plain(text)
        chosen = tf.one_hot(self._tag_ids(answer["tokens"]), len(TAG_NAMES))
        names = tf.broadcast_to(TAG_NAMES, [tf.size(text), len(TAG_NAMES)])
        rest = (1 - self.sure) / (len(TAG_NAMES) - 1)
        marginals = chosen * self.sure + (1 - chosen) * rest
        return {**answer, "marginals": marginals, "tag_names": names}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def k_best(self, text):
        answer = self.plain(text)
        outside = _mask(tf.fill(tf.shape(answer["tags"]), "O"), answer["lengths"])
        other = tf.reduce_any(answer["tags"] != outside, axis=1)  # else it is the same path
        two, one = tf.math.log([self.sure, 1 - self.sure]), tf.constant([0.0, -1e9])
        return {
            **answer,
            "tags": tf.stack([answer["tags"], tf.where(other[:, None], outside, "")], axis=1),
            "scores": tf.where(other[:, None], two, one),
            "paths": tf.where(other, 2, 1),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def spans(self, text):
        answer = self._tokens(text)
        ids = self._tag_ids(answer["tokens"])
        real = tf.sequence_mask(answer["lengths"], tf.shape(ids)[1]) & (ids > 0)
        lengths = tf.reduce_sum(tf.cast(real, tf.int32), axis=1)
        types = tf.gather(["", "NAME", "TIME"], ids)
        values = {
            "span_texts": answer["tokens"],
            "span_types": types,
            "span_starts": answer["starts"],
            "span_ends": answer["ends"],
            "scores": tf.fill(tf.shape(ids), self.sure),
        }
        dense = {
            name: _dense(tf.ragged.boolean_mask(value, real)) for name, value in values.items()
        }
        return {**dense, "lengths": lengths, "truncated": answer["truncated"]}


def _dense(ragged):
    """Pad to at least one column."""
    dense = ragged.to_tensor()
    width = tf.maximum(tf.shape(dense)[1], 1)
    column = tf.zeros([tf.shape(dense)[0], 1], dense.dtype)
    return tf.concat([dense, column], axis=1)[:, :width]


def _mask(tags, lengths):
    return tf.where(tf.sequence_mask(lengths, tf.shape(tags)[1]), tags, "")


def save(folder):
    """Save the tagger as a SavedModel with the signatures of a tagger's export."""
    load_text_ops()
    tagger = HandMadeTagger()
    signatures = {
        "serving_default": tagger.plain,
        "pretokenized": tagger.pretokenized,
        "spans": tagger.spans,
        "marginals": tagger.marginals,
        "k_best": tagger.k_best,
    }
    tf.saved_model.save(tagger, str(folder), signatures=signatures)
