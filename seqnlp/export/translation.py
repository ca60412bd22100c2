"""The signatures of translators."""

import tensorflow as tf

from seqnlp.decoding import IMPOSSIBLE, Decoded, Forbidden, ForcedPrefix, beam_search
from seqnlp.layers import portable_caches
from seqnlp.text import valid_utf8
from seqnlp.text.names import END_ID, NEVER_WRITTEN, START_ID, UNKNOWN_ID

_LEAST_SHORT = 16  # steps below which a shorter attempt saves nothing


def translation_signatures(
    model, text, max_length=256, beam_width=4, length_penalty=0.6, n_best=None
):
    """The signatures of a translator.

    | name | in | out |
    |---|---|---|
    | `serving_default` | `text` string `(batch,)` | `translations` string, `scores` float32,
    `lengths` int32, `finished` and `truncated` bool, all `(batch,)` |
    | `n_best` | `text` | `translations`, `scores`, `lengths` and `finished` `(batch, n_best)`,
    `pieces` string `(batch, n_best, time)`, `paths` int32 `(batch,)`, `source_pieces` string
    `(batch, source)`, `source_lengths` int32 `(batch,)`, `truncated` `(batch,)`; where the model
    attends also `alignments` float32 `(batch, n_best, time, source)` |
    | `score` | `source`, `target` string `(batch,)` | `log_probabilities` float32 `(batch,)`,
    `token_log_probabilities` float32 and `pieces` string `(batch, time)`, `lengths` int32
    `(batch,)`, `truncated` |

    Translations come from a beam search, best first, which never writes padding or another
    start. Their score is the log probability of their pieces and the end, divided by
    `((5 + pieces) / 6) ** length_penalty`. Different pieces may make the same string.

    `lengths` counts the pieces without the end, `source_lengths` and the `lengths` of `score`
    count the end, too. Behind a row's length stands filling. A translation of `max_length`
    pieces was stopped there and is not `finished`: its score lacks the end. A text of which
    nothing can be read, such as one of white space, has the empty translation alone.

    A row of `n_best` has `paths` translations, fewer than `n_best` where fewer are possible;
    behind them stand empty strings of score -1e9. Their number is fixed here since a server joins
    requests to batches. `alignments` says which source pieces each piece was chosen by.

    `score` gives the model's log probability of given translations, their pieces and the end. Of
    a translation of `max_length` pieces or more it takes the first `max_length` and no end.
    `truncated` tells this, and everywhere that the text is longer than the model reads.

    Args:
        model: Built sequence-to-sequence model of `seqnlp.models`, or one with its methods.
        text: `seqnlp.text.TranslationText` with a `max_length`.
        max_length: Most pieces of a translation, the end among them.
        beam_width: Hypotheses that the search keeps.
        length_penalty: The exponent above, at least 0: the higher, the longer the translations.
        n_best: Translations that `n_best` gives, at most `beam_width`; None for as many.

    Returns:
        Dict for `saved_model`.

    Raises:
        ValueError: A number is out of range, or wider than what the model can write; `text` has
            no `max_length`, or other vocabularies than the model.

    Reference: Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 7 (`length_penalty`)
    """
    n_best = beam_width if n_best is None else n_best
    _check_text(model, text)
    _check_numbers(text, max_length, beam_width, length_penalty, n_best)
    served = _ServedTranslator(model, text, max_length, beam_width, length_penalty, n_best)
    strings = [tf.TensorSpec([None], tf.string, name="text")]
    pairs = [tf.TensorSpec([None], tf.string, name=name) for name in ("source", "target")]
    return {
        "serving_default": (served.translate, strings),
        "n_best": (served.n_best, strings),
        "score": (served.score, pairs),
    }


class _ServedTranslator:
    """The signatures of a translator."""

    def __init__(self, model, text, max_length, beam_width, length_penalty, number):
        self.model = model
        self.text = text
        self.max_length = max_length
        self.beam_width = beam_width
        self.length_penalty = length_penalty
        self.number = number
        # A ValueError where the model cannot write as long as that.
        state = model.initial_state(tf.constant([[UNKNOWN_ID, END_ID]]), max_length)
        self.attends = "alignment" in state
        self.short = max_length // 4
        # A function of its own, so that the export holds its loops once for all signatures.
        ids = tf.TensorSpec([None, None], tf.int32)
        self.search = tf.function(self._search, [ids], autograph=False)

    def read(self, strings):
        """Source ids `(rows, source)`, their lengths, and which texts were cut.

        No texts become one row without text, as a model may not know how to read none.
        """
        ids, truncated = self.text.read_source(strings)
        ids = tf.concat([ids, _filling(strings, END_ID)], axis=0)
        return ids.to_tensor(), tf.cast(ids.row_lengths(), tf.int32), truncated

    def _search(self, source_ids):
        """What the beam search finds, with room for few steps first where they may be enough.

        Each step costs as much as there is room in its caches, and most translations are short.
        What is found depends neither on this nor on the other texts of a batch.
        """
        if self.short < _LEAST_SHORT:
            return self._decode(source_ids, self.max_length)
        found = tf.cond(
            tf.shape(source_ids)[1] <= self.short,
            lambda: self._decode(source_ids, self.short),
            lambda: self._stopped(source_ids),
        )
        return tf.cond(
            tf.reduce_any(found.lengths == self.short),
            lambda: self._decode(source_ids, self.max_length),
            lambda: _with_room(found, self.max_length),
        )

    def _stopped(self, source_ids):
        """What `_decode` of `short` steps would give, had it found no end."""
        rows, source = tf.unstack(tf.shape(source_ids))
        shape = [rows, self.beam_width]
        return Decoded(
            token_ids=tf.zeros([*shape, self.short], tf.int32),
            scores=tf.zeros(shape),
            lengths=tf.fill(shape, self.short),
            alignments=tf.zeros([*shape, self.short, source]) if self.attends else None,
        )

    def _decode(self, source_ids, max_length):
        nothing_read = source_ids[:, :1] == END_ID
        rules = (Forbidden(NEVER_WRITTEN), ForcedPrefix(tf.where(nothing_read, END_ID, 0)))
        with portable_caches():
            return beam_search(
                self.model.step,
                self.model.initial_state(source_ids, max_length),
                tf.fill(tf.shape(source_ids)[:1], START_ID),
                END_ID,
                max_length,
                self.beam_width,
                self.length_penalty,
                rules=rules,
            )

    def translate(self, text):
        source_ids, _, truncated = self.read(text)
        found, _ = _best(self.search(source_ids), tf.size(text), 1)
        return {name: x[:, 0] for name, x in self.written(found).items()} | {
            "truncated": truncated
        }

    def n_best(self, text):
        source_ids, source_lengths, truncated = self.read(text)
        batch = tf.size(text)
        found, possible = _best(self.search(source_ids), batch, self.number)
        time = tf.reduce_max(tf.concat([tf.reshape(found.lengths, [-1]), [0]], axis=0))
        real = tf.sequence_mask(found.lengths, time)  # (batch, number, time)
        pieces = self.text.pieces(found.token_ids[:, :, :time])
        source = tf.shape(source_ids)[1]
        source_real = tf.sequence_mask(source_lengths[:batch], source)
        answer = {
            **self.written(found),
            "pieces": tf.where(real, pieces, ""),
            "paths": tf.reduce_sum(tf.cast(possible, tf.int32), axis=1),
            "source_pieces": tf.where(
                source_real, self.text.source_pieces(source_ids[:batch]), ""
            ),
            "source_lengths": source_lengths[:batch],
            "truncated": truncated,
        }
        if found.alignments is not None:
            alignments = found.alignments[:, :, :time]
            answer["alignments"] = tf.where(real[..., None], alignments, 0.0)
        return answer

    def written(self, found):
        """The columns that a person reads."""
        return {
            "translations": valid_utf8(self.text.decode(found.token_ids, found.lengths)),
            "scores": found.scores,
            "lengths": found.lengths,
            "finished": found.lengths < self.max_length,
        }

    def score(self, source, target):
        same = tf.debugging.assert_equal(
            tf.size(source), tf.size(target), "`target` must have a string for each of `source`"
        )
        with tf.control_dependencies([] if same is None else [same]):
            source_ids, _, truncated = self.read(source)
        pieces = self.text.encode_target(target)
        truncated |= pieces.row_lengths() >= self.max_length
        labels, real, lengths = self.labels(pieces, target)
        batch = tf.size(target)
        before = tf.where(labels == END_ID, 0, labels)[:, :-1]  # the end is never read
        start = tf.fill([tf.shape(labels)[0], 1], START_ID)
        inputs = {"source_ids": source_ids, "target_ids": tf.concat([start, before], axis=1)}
        logits = tf.nn.log_softmax(self.model(inputs, training=False))
        each = tf.where(real, tf.gather(logits, labels, batch_dims=2), 0.0)[:batch]
        return {
            "log_probabilities": tf.reduce_sum(each, axis=1),
            "token_log_probabilities": each,
            "pieces": tf.where(real, self.text.pieces(labels), "")[:batch],
            "lengths": lengths[:batch],
            "truncated": truncated,
        }

    def labels(self, pieces, target):
        """Pieces and end `(rows, time)`, where they are, and how many; at least one row."""
        end = tf.fill([tf.size(target), 1], END_ID)
        labels = tf.concat([pieces, end], axis=1)[:, : self.max_length]
        labels = tf.concat([labels, _filling(target, END_ID)], axis=0)
        lengths = tf.cast(labels.row_lengths(), tf.int32)
        labels = labels.to_tensor()
        return labels, tf.sequence_mask(lengths, tf.shape(labels)[1]), lengths


def _filling(strings, token_id):
    """A row of one id where there are no strings, else no row."""
    return tf.fill([tf.cast(tf.size(strings) == 0, tf.int32), 1], token_id)


def _with_room(found, max_length):
    """`Decoded` of fewer steps, as that of `max_length` would be."""
    more = max_length - found.token_ids.shape[-1]
    alignments = found.alignments
    if alignments is not None:
        alignments = tf.pad(alignments, [[0, 0], [0, 0], [0, more], [0, 0]])
    token_ids = tf.pad(found.token_ids, [[0, 0], [0, 0], [0, more]])
    return found._replace(token_ids=token_ids, alignments=alignments)


def _best(found, batch, number):
    """The best `number` hypotheses of the first `batch` rows, and which of them are possible."""
    best = tf.nest.map_structure(lambda x: None if x is None else x[:batch, :number], found)
    return best, best.scores > IMPOSSIBLE / 2


def _check_text(model, text):
    if text.max_length is None:
        raise ValueError(
            "`text` must have a `max_length`, since a server is given texts of any length. "
            "Received: text.max_length=None"
        )
    config = model.get_config()
    for side in ("source", "target"):
        wanted, size = config[f"{side}_vocabulary_size"], getattr(text, f"{side}_vocabulary_size")
        if size != wanted:
            raise ValueError(
                f"`text` must have {wanted} ids of the {side}, as the model does. "
                f"Received: text.{side}_vocabulary_size={size}"
            )


def _check_numbers(text, max_length, beam_width, length_penalty, n_best):
    if max_length < 1:
        raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}")
    most = text.target_vocabulary_size - 2  # neither padding nor the start is written
    if not 1 <= beam_width <= most:
        raise ValueError(
            f"`beam_width` must be from 1 to {most}, the number of pieces that the model can "
            f"write. Received: beam_width={beam_width}"
        )
    if not length_penalty >= 0:
        raise ValueError(
            f"`length_penalty` must be at least 0. Received: length_penalty={length_penalty}"
        )
    if not 1 <= n_best <= beam_width:
        raise ValueError(
            f"`n_best` must be from 1 to `beam_width`={beam_width}. Received: n_best={n_best}"
        )
