"""Models as SavedModels that take strings, for TensorFlow Serving."""

try:
    import tensorflow as tf
except ImportError as error:
    raise ImportError(
        'seqnlp.export needs tensorflow: pip install "seqnlp[tensorflow]"'
    ) from error

import keras

from seqnlp.tag_schemes import split_tag
from seqnlp.text import valid_utf8


def saved_model(model, text, path, signatures):
    """Writes a model as a SavedModel whose signatures take strings.

    Args:
        model: Built Keras model, on the TensorFlow backend.
        text: The `tf.Module` that turns strings into the model's inputs; its tables are kept.
        path: Folder to write: for TensorFlow Serving one named by a number, the version.
        signatures: Dict from name to `(function, input specs)`, the specs a list of
            `tf.TensorSpec` with names; the function returns a dict of tensors. One is named
            `serving_default`.

    Raises:
        ValueError: If there is no `serving_default`, or on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`model` must live on the tensorflow backend to become a SavedModel; a .keras file "
            "trained on another one can be loaded there. "
            f"Received: backend={keras.backend.backend()!r}"
        )
    if "serving_default" not in signatures:
        raise ValueError(
            "`signatures` must have one named 'serving_default'. "
            f"Received: signatures={sorted(signatures)}"
        )
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(text)
    for name, (function, specs) in signatures.items():
        archive.add_endpoint(name, function, input_signature=specs)
    archive.write_out(str(path), verbose=False)


def tagging_signatures(model, text, encoding="none"):
    """The signatures of a tagger.

    | name | in | out |
    |---|---|---|
    | `serving_default` | `text` string `(batch,)` | `tokens`, `tags` string `(batch, time)` |
    | `pretokenized` | `tokens` string `(batch, time)`, `lengths` int32 | `tags` |
    | `spans` | `text` | `span_texts`, `span_types`, `span_starts`, `span_ends`, `scores` |
    | `marginals` | `text` | as `serving_default`, `marginals` `(batch, time, tags)`, `tag_names` |

    All give `lengths` int32 `(batch,)` and `truncated` bool `(batch,)`; those that take `text`
    give `starts` and `ends`, int64 byte offsets into it. Behind a row's length stands filling.
    A span's score is the smallest posterior probability of its tags.

    Args:
        model: `seqnlp.models.Tagger`, or another `SequenceTagging` model on the same inputs.
        text: `seqnlp.text.TaggingText`.
        encoding: Tag scheme; "none" leaves `spans` out.

    Returns:
        Dict for `saved_model`.
    """
    served = _ServedTagger(model, text)
    strings = [tf.TensorSpec([None], tf.string, name="text")]
    tokens = [
        tf.TensorSpec([None, None], tf.string, name="tokens"),
        tf.TensorSpec([None], tf.int32, name="lengths"),
    ]
    signatures = {
        "serving_default": (served.tag, strings),
        "pretokenized": (served.tag_tokens, tokens),
        "marginals": (served.marginals, strings),
    }
    if encoding != "none":
        signatures["spans"] = (_ServedSpans(served, encoding).spans, strings)
    return signatures


class _ServedTagger:
    """What the signatures of a tagger have in common."""

    def __init__(self, model, text):
        self.model = model
        self.text = text
        self.names = tf.constant(text.tags)

    def read(self, strings):
        """Tokens with their byte offsets, all ragged, and what was cut off."""
        tokens, starts, ends = self.text.tokenizer.tokenize_with_offsets(strings)
        tokens, truncated = self.text.truncate(tokens)
        starts, _ = self.text.truncate(starts)
        ends, _ = self.text.truncate(ends)
        return tokens, starts, ends, truncated

    def run(self, tokens):
        """The model's answer to ragged tokens; at least one step of time."""
        return self.model(self.text.inputs(tokens), training=False)

    def tag_names(self, outputs, tokens):
        """Names of the tags, `(batch, time)` with the longest row's `time`, even if it is 0."""
        lengths = tokens.row_lengths()
        time = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
        names = tf.gather(self.names, outputs["tags"])[:, :time]
        return tf.where(tf.sequence_mask(lengths, time), names, "")

    def tag(self, text):
        tokens, starts, ends, truncated = self.read(text)
        return self.tagged(self.run(tokens), tokens, starts, ends, truncated)

    def tagged(self, outputs, tokens, starts, ends, truncated):
        return {
            "tokens": tokens.to_tensor(),
            "tags": self.tag_names(outputs, tokens),
            "starts": starts.to_tensor(),
            "ends": ends.to_tensor(),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "truncated": truncated,
        }

    def tag_tokens(self, tokens, lengths):
        checks = [
            tf.debugging.assert_equal(
                tf.shape(tokens)[0], tf.shape(lengths)[0], "`lengths` must have a number a row"
            ),
            tf.debugging.assert_non_negative(lengths, "`lengths` must not be negative"),
            tf.debugging.assert_less_equal(
                lengths, tf.shape(tokens)[1], "`lengths` must not exceed the tokens of a row"
            ),
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            tokens = tf.identity(tokens)
        tokens = tf.RaggedTensor.from_tensor(tokens, lengths=lengths)
        tokens, truncated = self.text.truncate(valid_utf8(tokens))
        return {
            "tags": self.tag_names(self.run(tokens), tokens),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "truncated": truncated,
        }

    def marginals(self, text):
        tokens, starts, ends, truncated = self.read(text)
        outputs = self.run(tokens)
        tagged = self.tagged(outputs, tokens, starts, ends, truncated)
        time = tf.shape(tagged["tags"])[1]
        names = tf.broadcast_to(self.names[None], [tf.shape(text)[0], len(self.text.tags)])
        marginals = self.model.marginals(outputs)[:, :time]
        return {**tagged, "marginals": marginals, "tag_names": names}


class _ServedSpans:
    """Spans from tag ids, in the graph, as `tag_schemes.spans` reads them."""

    def __init__(self, served, encoding):
        split = [split_tag(tag, encoding) for tag in served.text.tags]
        types = sorted({span_type for _, span_type in split})
        self.served = served
        self.types = tf.constant(types)
        self.type_ids = tf.constant([types.index(span_type) for _, span_type in split])
        self.outside = tf.constant([prefix == "O" for prefix, _ in split])
        self.continues = tf.constant([prefix in ("I", "E") for prefix, _ in split])
        self.closes = tf.constant([prefix in ("E", "S", "O") for prefix, _ in split])

    def edges(self, tags, mask):
        """Bool `(batch, time)` twice: the tokens that begin a span and those that end one."""
        types = tf.gather(self.type_ids, tags)
        inside = mask & ~tf.gather(self.outside, tags)
        same_type = types[:, 1:] == types[:, :-1]
        joins = same_type & tf.gather(self.continues, tags)[:, 1:] & inside[:, 1:]
        joins &= inside[:, :-1] & ~tf.gather(self.closes, tags)[:, :-1]
        edge = tf.zeros_like(inside[:, :1])
        begins = inside & ~tf.concat([edge, joins], axis=1)
        return begins, inside & ~tf.concat([joins, edge], axis=1)

    def spans(self, text):
        tokens, starts, ends, truncated = self.served.read(text)
        outputs = self.served.run(tokens)
        tags, mask = outputs["tags"], outputs["mask"]
        begins, finishes = self.edges(tags, mask)

        def pick(ragged, where):  # offsets have the longest row's time, tags at least one step
            dense = ragged.to_tensor(shape=[None, None])
            padding = tf.shape(where)[1] - tf.shape(dense)[1]
            return tf.ragged.boolean_mask(tf.pad(dense, [[0, 0], [0, padding]]), where)

        starts, ends = pick(starts, begins), pick(ends, finishes)
        owners = tf.gather(text, starts.value_rowids())
        texts = valid_utf8(tf.strings.substr(owners, starts.values, ends.values - starts.values))
        types = tf.gather(tf.gather(self.types, self.type_ids), tags)
        return {
            "span_texts": starts.with_values(texts).to_tensor(),
            "span_types": tf.ragged.boolean_mask(types, begins).to_tensor(),
            "span_starts": starts.to_tensor(),
            "span_ends": ends.to_tensor(),
            "scores": self.scores(outputs, begins).to_tensor(),
            "lengths": tf.cast(starts.row_lengths(), tf.int32),
            "truncated": truncated,
        }

    def scores(self, outputs, begins):
        """The smallest posterior probability of the tags of every span, ragged."""
        marginals = self.served.model.marginals(outputs)
        best = tf.gather(marginals, outputs["tags"], axis=2, batch_dims=2)  # (batch, time)
        inside = outputs["mask"] & ~tf.gather(self.outside, outputs["tags"])
        number = tf.cumsum(tf.cast(tf.reshape(begins, [-1]), tf.int32))  # spans begun so far
        inside = tf.reshape(inside, [-1])
        scores = tf.math.unsorted_segment_min(
            tf.boolean_mask(tf.reshape(best, [-1]), inside),
            tf.boolean_mask(number, inside) - 1,
            tf.reduce_sum(tf.cast(begins, tf.int32)),
        )
        lengths = tf.reduce_sum(tf.cast(begins, tf.int64), axis=1)
        return tf.RaggedTensor.from_row_lengths(scores, lengths)
