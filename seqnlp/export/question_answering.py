"""The signatures of models that answer questions about a text."""

from typing import Any, NamedTuple

import tensorflow as tf

from seqnlp.decoding import IMPOSSIBLE, best_spans, context_mask
from seqnlp.text import valid_utf8

_WINDOWS = 32  # read at a time, which bounds the memory that a long text takes
_LOOKED_AT = 8  # times as many spans as are asked for, as overlapping windows repeat some


def question_signatures(model, text, max_answer_length=30, n_best=5, threshold=None):
    """The signatures of a model that answers questions.

    | name | in | out |
    |---|---|---|
    | `serving_default`, `answer` | `question`, `context` string `(batch,)` | `answers` string,
    `starts` and `ends` int64, `scores` and `no_answer_scores` float32, `truncated` bool, all
    `(batch,)` |
    | `n_best` | `question`, `context` | `answers`, `starts`, `ends` and `scores`
    `(batch, n_best)`, `paths` int32 `(batch,)`, `no_answer_scores`, `truncated` |

    `starts` and `ends` are bytes of the context as it was given, where the answer stands. A long
    context is read in windows, all of it. A score is the probability that the answer starts and
    ends there, in the window where that is greatest; `no_answer_scores` that there is none, in
    the window where that is least. `truncated` says that the question was cut.

    Where nothing can be answered, or no answer is more probable than the best one by more than
    `threshold`, the answer of `serving_default` is empty, starts and ends at 0, and its score is
    that of no answer. `n_best` gives all answers that it finds, best first: `paths` of them, each
    once, and behind them filling.

    Args:
        model: `seqnlp.models.BERTSpanExtractor`.
        text: `seqnlp.text.QuestionText`.
        max_answer_length: Most pieces of an answer.
        n_best: Answers of `n_best`; fixed here since a server joins requests to batches.
        threshold: Difference of the logarithms of both probabilities, see
            `seqnlp.metrics.best_threshold`, or None to answer whatever is asked.

    Returns:
        Dict for `saved_model`.

    Raises:
        ValueError: A number is below 1, or `text` has another vocabulary than the model.

    Reference: https://arxiv.org/abs/1810.04805, sections 4.2 and 4.3
    """
    numbers = {"max_answer_length": max_answer_length, "n_best": n_best}
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={number}")
    size = model.encoder.config["vocabulary_size"]
    if text.vocabulary_size != size:
        raise ValueError(
            f"`text` must have {size} ids, as the model does. "
            f"Received: text.vocabulary_size={text.vocabulary_size}"
        )
    served = _ServedAnswerer(model, text, max_answer_length, n_best, threshold)
    pair = [tf.TensorSpec([None], tf.string, name=name) for name in ("question", "context")]
    return {
        "serving_default": (served.answer, pair),
        "answer": (served.answer, pair),
        "n_best": (served.n_best, pair),
    }


class _Found(NamedTuple):
    """Answers `(batch, number)`, best first, and what is said for none `(batch,)`."""

    starts: Any
    ends: Any
    scores: Any
    no_answer: Any
    truncated: Any


class _ServedAnswerer:
    """The signatures of a model that answers questions."""

    def __init__(self, model, text, max_answer_length, number, threshold):
        self.model = model
        self.text = text
        self.max_answer_length = max_answer_length
        self.number = number
        self.threshold = threshold

    def answer(self, question, context):
        found = self.found(question, context, 1)
        start, end, score = (x[:, 0] for x in (found.starts, found.ends, found.scores))
        silent = score <= IMPOSSIBLE / 2
        if self.threshold is not None:
            silent |= found.no_answer - score > self.threshold
        start, end = (tf.where(silent, tf.zeros_like(x), x) for x in (start, end))
        return {
            "answers": _parts(context, start, end),
            "starts": start,
            "ends": end,
            "scores": tf.exp(tf.where(silent, found.no_answer, score)),
            "no_answer_scores": tf.exp(found.no_answer),
            "truncated": found.truncated,
        }

    def n_best(self, question, context):
        found = self.found(question, context, self.number)
        contexts = tf.repeat(context[:, None], self.number, axis=1)
        answers = _parts(*(tf.reshape(x, [-1]) for x in (contexts, found.starts, found.ends)))
        possible = found.scores > IMPOSSIBLE / 2
        return {
            "answers": tf.reshape(answers, tf.shape(contexts)),
            "starts": found.starts,
            "ends": found.ends,
            "scores": tf.exp(found.scores),
            "paths": tf.reduce_sum(tf.cast(possible, tf.int32), axis=1),
            "no_answer_scores": tf.exp(found.no_answer),
            "truncated": found.truncated,
        }

    def found(self, question, context, number):
        """The best answers of all windows of each context."""
        same = tf.debugging.assert_equal(
            tf.size(question),
            tf.size(context),
            "`context` must have a string for each of `question`",
        )
        with tf.control_dependencies([] if same is None else [same]):
            batch = tf.size(question)
        # No questions become one, as a model may not know how to read none.
        filling = tf.fill([tf.cast(batch == 0, tf.int32)], "")
        question, context = (tf.concat([x, filling], axis=0) for x in (question, context))
        windows = self.text.windows(question, context)
        starts, ends, scores, nothing = self.read(windows, number)
        starts, ends = _bytes(windows, starts, ends, scores > IMPOSSIBLE / 2)
        rows = windows["rows"]
        columns = [
            _joined(x, rows, tf.size(question), filling)
            for x, filling in ((starts, 0), (ends, 0), (scores, IMPOSSIBLE))
        ]
        columns = [x[:batch] for x in _best(*columns, number)]
        no_answer = tf.math.segment_min(nothing, rows)[:batch]
        return _Found(*columns, no_answer, windows["truncated"][:batch])

    def read(self, windows, number):
        """The best spans of each window and what is said for none; some windows at a time."""
        ids, segments = windows["token_ids"], windows["segment_ids"]
        size = tf.size(windows["rows"])

        def unfinished(at, *_):
            return at < size

        def step(at, *arrays):
            # Each is padded to the longest of its part.
            inputs = {
                "token_ids": ids[at : at + _WINDOWS].to_tensor(),
                "segment_ids": segments[at : at + _WINDOWS].to_tensor(),
            }
            found = self.spans(inputs, number)
            index = at // _WINDOWS
            return at + _WINDOWS, *(a.write(index, x) for a, x in zip(arrays, found, strict=True))

        arrays = [_array(dtype, number) for dtype in (tf.int32, tf.int32, tf.float32)]
        arrays.append(_array(tf.float32, 1))
        loop = tf.while_loop(unfinished, step, (0, *arrays), parallel_iterations=1)
        starts, ends, scores, nothing = (array.concat() for array in loop[1:])
        return starts, ends, scores, nothing[:, 0]

    def spans(self, inputs, number):
        """Places of the best spans `(windows, number)`, their scores, and that of none."""
        outputs = self.model(inputs, training=False)
        start, end = (tf.nn.log_softmax(outputs[name]) for name in ("start", "end"))
        spans = best_spans(start, end, context_mask(**inputs), self.max_answer_length, number)
        return *spans, start[:, :1] + end[:, :1]


def _array(dtype, width):
    shape = [None, width]
    return tf.TensorArray(dtype, 0, dynamic_size=True, element_shape=shape, infer_shape=False)


def _bytes(windows, starts, ends, possible):
    """The bytes of the contexts that spans of windows stand for, `(windows, number)`."""
    first = tf.cast(windows["first_length"], tf.int64)[:, None]
    begin = windows["starts"].row_starts()[:, None]

    def of(places, column):
        index = tf.where(possible, begin + tf.cast(places, tf.int64) - first, 0)
        values = tf.concat([windows[column].values, [0]], axis=0)  # there may be no piece at all
        return tf.where(possible, tf.gather(values, index), 0)

    return of(starts, "starts"), of(ends, "ends")


def _joined(values, rows, batch, filling):
    """What the windows of each context have, side by side: `(batch, windows * number)`."""
    ragged = tf.RaggedTensor.from_value_rowids(values, rows, tf.cast(batch, tf.int64))
    dense = ragged.to_tensor(filling)
    return tf.reshape(dense, [batch, -1])


def _best(starts, ends, scores, number):
    """The best spans of each row, best first, each once."""
    size = tf.minimum(tf.shape(scores)[1], _LOOKED_AT * number)

    def take(order, *columns):
        return [tf.gather(x, order, batch_dims=1) for x in columns]

    values, order = tf.math.top_k(scores, size)
    starts, ends = take(order, starts, ends)
    same = (starts[:, :, None] == starts[:, None]) & (ends[:, :, None] == ends[:, None])
    earlier = tf.range(size)[:, None] > tf.range(size)
    repeated = tf.reduce_any(same & earlier, axis=2)
    # At least as many as a window gives, of which none may be possible.
    scores, order = tf.math.top_k(tf.where(repeated, IMPOSSIBLE, values), number)
    starts, ends = take(order, starts, ends)
    possible = scores > IMPOSSIBLE / 2
    return tf.where(possible, starts, 0), tf.where(possible, ends, 0), scores


def _parts(strings, starts, ends):
    return valid_utf8(tf.strings.substr(strings, starts, ends - starts))
