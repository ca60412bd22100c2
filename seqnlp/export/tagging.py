"""The signatures of taggers."""

import tensorflow as tf

from seqnlp.tag_schemes import split_tag
from seqnlp.text import valid_utf8

_NO_PATH = -1e9  # stands for a log probability that JSON cannot write, that of nothing


def tagging_signatures(model, text, encoding="none", k=5):
    """The signatures of a tagger.

    | name | in | out |
    |---|---|---|
    | `serving_default` | `text` string `(batch,)` | `tokens`, `tags` string `(batch, time)` |
    | `pretokenized` | `tokens` string `(batch, time)`, `lengths` int32 | `tags` |
    | `spans` | `text` | `span_texts`, `span_types`, `span_starts`, `span_ends`, `scores` |
    | `marginals` | `text` | as `serving_default`, `marginals` `(batch, time, tags)`, `tag_names`;
    with an encoding also the spans: their columns, `span_scores` and `span_lengths` |
    | `k_best` | `text` | as `serving_default` with `tags` `(batch, k, time)`, `scores`
    `(batch, k)`, `paths` int32 `(batch,)` |

    All give `lengths` int32 `(batch,)` and `truncated` bool `(batch,)`; those that take `text`
    give `starts` and `ends`, int64 byte offsets into it. Behind a row's length stands filling.

    A span's score is its exact posterior probability: that all its tokens have its tags,
    whatever the others have (Culotta & McCallum 2004, https://aclanthology.org/N04-4028,
    section 3); under a `SemiMarkovCRF`, that they are just this span. The scores of `k_best`,
    best first, are log probabilities. A row has `paths` of them, fewer than `k` where fewer are
    possible; behind them stand empty tags and -1e9, whose exponential is 0. The number `k` is
    fixed here since a server joins requests to batches, and an input without a row for each text
    cannot be joined.

    A model that labels sentences adds to all of them `label` string `(batch,)`, `label_scores`
    `(batch, labels)`, the probabilities, and `label_names` of the same shape. A text without
    tokens has a label too, that of the model for no states at all.

    Args:
        model: `seqnlp.models.Tagger`, or another `SequenceTagging` model on the same inputs.
        text: `seqnlp.text.TaggingText`.
        encoding: Tag scheme; "none" leaves the spans out.
        k: Number of tag sequences that `k_best` gives. Heads that cannot rank whole sequences
            (all but the linear-chain CRF) have no such signature.

    Returns:
        Dict for `saved_model`.

    Raises:
        ValueError: `k` is below 1, `text` lacks the model's labels, or a tag is none of
            `encoding`.
    """
    if k < 1:
        raise ValueError(f"`k` must be at least 1. Received: k={k}")
    layer = model.label_layer()
    if layer is not None and len(text.labels or ()) != layer.num_labels:
        raise ValueError(
            f"`text` must have {layer.num_labels} labels, as the model does. "
            f"Received: text.labels={text.labels}"
        )
    served = _ServedTagger(model, text, encoding, k)
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
        signatures["spans"] = (served.spans, strings)
    if hasattr(served.head, "k_best"):
        signatures["k_best"] = (served.k_best, strings)
    return signatures


class _ServedTagger:
    """The signatures of a tagger."""

    def __init__(self, model, text, encoding, k):
        self.model = model
        self.head = model.head_layer()
        self.text = text
        self.names = tf.constant(text.tags)
        self.reader = None if encoding == "none" else _SpanReader(text.tags, encoding)
        self.labels = None if model.label_layer() is None else tf.constant(text.labels)
        self.k = k

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

    def label(self, outputs):
        """The columns of the sentences' labels, none where the model gives none."""
        if self.labels is None:
            return {}
        scores = tf.nn.softmax(outputs["label_logits"])
        return {
            "label": tf.gather(self.labels, outputs["label"]),
            "label_scores": scores,
            "label_names": tf.broadcast_to(self.labels[None], tf.shape(scores)),
        }

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
            **self.label(outputs),
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
        outputs = self.run(tokens)
        return {
            "tags": self.tag_names(outputs, tokens),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "truncated": truncated,
            **self.label(outputs),
        }

    def marginals(self, text):
        tokens, starts, ends, truncated = self.read(text)
        outputs = self.run(tokens)
        tagged = self.tagged(outputs, tokens, starts, ends, truncated)
        time = tf.shape(tagged["tags"])[1]
        names = tf.broadcast_to(self.names[None], [tf.shape(text)[0], len(self.text.tags)])
        marginals = self.head.marginals(outputs)[:, :time]
        answer = {**tagged, "marginals": marginals, "tag_names": names}
        if self.reader is not None:
            spans, lengths = self.found_spans(outputs, text, starts, ends)
            answer |= {**spans, "span_lengths": lengths}
        return answer

    def spans(self, text):
        tokens, starts, ends, truncated = self.read(text)
        outputs = self.run(tokens)
        spans, lengths = self.found_spans(outputs, text, starts, ends)
        spans["scores"] = spans.pop("span_scores")
        return {**spans, "lengths": lengths, "truncated": truncated, **self.label(outputs)}

    def found_spans(self, outputs, text, starts, ends):
        """The columns of the spans, dense, and how many each text has."""
        log_probabilities = self.head.tag_log_probabilities(outputs)
        found = self.reader.spans(outputs, log_probabilities, text, starts, ends)
        lengths = tf.cast(found["span_starts"].row_lengths(), tf.int32)
        return {name: column.to_tensor() for name, column in found.items()}, lengths

    def k_best(self, text):
        tokens, starts, ends, truncated = self.read(text)
        outputs = self.run(tokens)
        tags, scores = self.head.k_best(outputs, self.k)  # (batch, k, time), (batch, k)
        possible = tf.math.is_finite(scores)
        tagged = self.tagged(outputs, tokens, starts, ends, truncated)
        time = tf.shape(tagged["tags"])[1]
        real = tf.sequence_mask(tagged["lengths"], time)[:, None] & possible[..., None]
        return {
            **tagged,
            "tags": tf.where(real, tf.gather(self.names, tags)[..., :time], ""),
            "scores": tf.where(possible, scores, _NO_PATH),
            "paths": tf.reduce_sum(tf.cast(possible, tf.int32), axis=1),
        }


class _SpanReader:
    """Spans from tag ids, in the graph, as `tag_schemes.spans` reads them."""

    def __init__(self, tags, encoding):
        split = [split_tag(tag, encoding) for tag in tags]
        types = sorted({span_type for _, span_type in split})
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

    def spans(self, outputs, log_probabilities, text, starts, ends):
        """The columns of the spans, ragged, from the ragged byte offsets of the tokens."""
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
        inside = mask & ~tf.gather(self.outside, tags)
        return {
            "span_texts": starts.with_values(texts),
            "span_types": tf.ragged.boolean_mask(types, begins),
            "span_starts": starts,
            "span_ends": ends,
            "span_scores": starts.with_values(_scores(log_probabilities, begins, inside)),
        }


def _scores(log_probabilities, begins, inside):
    """The probability that all tokens of a span have its tags, for each span in turn."""
    alone, after = log_probabilities  # (batch, time)
    steps = tf.boolean_mask(tf.where(begins, alone, after), inside)
    number = tf.cumsum(tf.cast(tf.boolean_mask(begins, inside), tf.int32)) - 1  # of its span
    return tf.exp(tf.math.segment_sum(steps, number))
