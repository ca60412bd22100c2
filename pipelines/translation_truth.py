"""What a translator's export must answer, by its model in Keras and `seqnlp.decoding`."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqnlp.decoding import IMPOSSIBLE, Forbidden, beam_search
from seqnlp.text.names import END_ID, START_ID

SHAKEN = 1e-4  # added to logits at random: more than float32 may lose on any machine
CLOSE = 1e-4  # share by which the scores of steps and of all pieces at once may differ


class Hypothesis(NamedTuple):
    """A translation: ids without the end, its score, and what each id was chosen by."""

    ids: list
    score: float
    alignment: np.ndarray | None  # (pieces, source)


class Answer(NamedTuple):
    """What is said of a text: its source ids, whether it was cut, and hypotheses, best first."""

    source: list
    truncated: bool
    hypotheses: list


class TranslationTruth:
    """Translates and scores strings outside of an export.

    Args:
        model: A sequence-to-sequence model.
        text: Its `seqnlp.text.TranslationText`, with a `max_length`.
        max_length: Most pieces of a translation, its end among them.
        beam_width: Hypotheses that are followed.
        length_penalty: Of `seqnlp.decoding.beam_search`.
        n_best: Hypotheses that are told.
    """

    def __init__(self, model, text, max_length, beam_width, length_penalty, n_best):
        self.model = model
        self.text = text
        self.max_length = max_length
        self.beam_width = beam_width
        self.length_penalty = length_penalty
        self.n_best = n_best
        self.attends = "alignment" in model.initial_state(tf.constant([[1, END_ID]]), max_length)
        ids = tf.TensorSpec([None, None], tf.int32)
        self.search = tf.function(self._search, [ids, tf.TensorSpec([])])
        self.logits = tf.function(model, [{"source_ids": ids, "target_ids": ids}])

    def _search(self, source_ids, shaken):
        def step(token_ids, state):
            logits, state = self.model.step(token_ids, state)
            return logits + shaken * tf.random.stateless_normal(tf.shape(logits), [0, 0]), state

        return beam_search(
            step,
            self.model.initial_state(source_ids, self.max_length),
            tf.fill(tf.shape(source_ids)[:1], START_ID),
            END_ID,
            self.max_length,
            self.beam_width,
            self.length_penalty,
            rules=(Forbidden([0, START_ID]),),
        )

    def answers(self, strings):
        """List of `Answer`; None for a string that float32 may translate one way or another.

        Raises:
            ValueError: A score is not the one of the pieces read all at once.
        """
        sources = [self._source(string) for string in strings]
        ids = tf.constant(_dense([source for source, _ in sources]))
        decoded, *others = (self.search(ids, shaken) for shaken in (0.0, SHAKEN, -SHAKEN))
        best = decoded.token_ids[:, : self.n_best].numpy()
        others = [other.token_ids[:, : self.n_best].numpy() for other in others]
        found = []
        for row, (source, truncated) in enumerate(sources):
            if source == [END_ID]:
                found.append(Answer(source, truncated, [self._nothing()]))
            elif all((best[row] == other[row]).all() for other in others):
                found.append(Answer(source, truncated, self._hypotheses(decoded, row, source)))
            else:
                found.append(None)
        self._check_scores([answer for answer in found if answer is not None])
        return found

    def _source(self, string):
        pieces = self.text.source.tokenize(tf.constant([string])).to_list()[0]
        most = self.text.max_length - 1
        return [*pieces[:most], END_ID], len(pieces) > most

    def _nothing(self):
        """The empty translation, which is all that a text without pieces has."""
        (score,) = self.log_probabilities([[END_ID]], [[END_ID]])[0]
        return Hypothesis([], self.penalized(score, 0), None)

    def _hypotheses(self, decoded, row, source):
        hypotheses = []
        for at, score in enumerate(decoded.scores[row, : self.n_best].numpy().tolist()):
            if score <= IMPOSSIBLE / 2:
                break
            length = int(decoded.lengths[row, at])
            ids = decoded.token_ids[row, at, :length].numpy().tolist()
            alignment = None
            if decoded.alignments is not None:
                alignment = decoded.alignments[row, at, :length, : len(source)].numpy()
            hypotheses.append(Hypothesis(ids, score, alignment))
        return hypotheses

    def penalized(self, log_probability, length):
        """The score of a translation."""
        return log_probability / ((5 + length) / 6) ** self.length_penalty

    def log_probabilities(self, sources, targets):
        """Arrays `(pieces,)`: log probability of each id of `targets`, read all at once."""
        before = [[START_ID, *target[:-1]] for target in targets]
        inputs = {"source_ids": _dense(sources), "target_ids": _dense(before)}
        found = []
        for row, target in zip(self.logits(inputs).numpy(), targets, strict=True):
            logits = row[: len(target)].astype("float64")
            norm = np.logaddexp.reduce(logits, axis=1)
            found.append(logits[np.arange(len(target)), target] - norm)
        return found

    def labels(self, ids):
        """Ids of a translation with the end, where that has a place."""
        return [*ids, END_ID][: self.max_length]

    def _check_scores(self, answers):
        pairs = [(answer, one) for answer in answers for one in answer.hypotheses]
        if not pairs:
            return
        labels = [self.labels(one.ids) for _, one in pairs]
        sums = self.log_probabilities([answer.source for answer, _ in pairs], labels)
        for (_, one), each in zip(pairs, sums, strict=True):
            score = self.penalized(each.sum(), len(one.ids))
            if not np.isclose(one.score, score, rtol=CLOSE, atol=CLOSE):
                raise ValueError(
                    "`step` must score as the model does that reads a translation at once, here "
                    f"{score}. Received: score={one.score} of the ids {one.ids}"
                )

    def columns(self, answers):
        """What `n_best` must give for some answers, as a dict of nested lists."""
        names = {side: getattr(self.text, side).tokens for side in ("source", "target")}
        columns = {name: [] for name in ("translations", "scores", "lengths", "finished")}
        hypotheses = [self._filled(answer.hypotheses) for answer in answers]
        for row in hypotheses:
            columns["translations"].append([self._string(one.ids) for one in row])
            columns["scores"].append([one.score for one in row])
            columns["lengths"].append([len(one.ids) for one in row])
            columns["finished"].append([len(one.ids) < self.max_length for one in row])
        time = max((len(one.ids) for row in hypotheses for one in row), default=0)
        source = max((len(answer.source) for answer in answers), default=1)
        columns["pieces"] = [
            [_filled([names["target"][i] for i in one.ids], time, "") for one in row]
            for row in hypotheses
        ]
        if self.attends:
            columns["alignments"] = [
                [_weights(one.alignment, time, source) for one in row] for row in hypotheses
            ]
        columns["paths"] = [len(answer.hypotheses) for answer in answers]
        columns["source_pieces"] = [
            _filled([names["source"][i] for i in answer.source], source, "") for answer in answers
        ]
        columns["source_lengths"] = [len(answer.source) for answer in answers]
        return columns | {"truncated": [answer.truncated for answer in answers]}

    def _filled(self, hypotheses):
        return _filled(hypotheses, self.n_best, Hypothesis([], IMPOSSIBLE, None))

    def _string(self, ids):
        return self.text.decode(tf.constant([ids], tf.int32, [1, len(ids)])).numpy()[0].decode()

    def scored(self, sources, targets):
        """What `score` must give for strings, as a dict of nested lists."""
        sources = [self._source(string) for string in sources]
        pieces = self.text.encode_target(tf.constant(targets)).to_list()
        labels = [self.labels(ids) for ids in pieces]
        each = self.log_probabilities([ids for ids, _ in sources], labels)
        time, names = max(map(len, labels)), self.text.target.tokens
        cut = [len(ids) >= self.max_length for ids in pieces]
        return {
            "log_probabilities": [float(row.sum()) for row in each],
            "token_log_probabilities": [_filled(row.tolist(), time, 0.0) for row in each],
            "pieces": [_filled([names[i] for i in ids], time, "") for ids in labels],
            "lengths": [len(ids) for ids in labels],
            "truncated": [a or b for (_, a), b in zip(sources, cut, strict=True)],
        }


def _filled(row, length, filling):
    return [*row, *[filling] * (length - len(row))]


def _dense(rows):
    """Lists of ids as an int32 array, 0 behind them."""
    longest = max(map(len, rows))
    return np.array([_filled(row, longest, 0) for row in rows], "int32")


def _weights(alignment, time, source):
    """An alignment as lists, `(time, source)`, with no more digits than are compared."""
    weights = np.zeros((time, source))
    if alignment is not None:
        weights[: alignment.shape[0], : alignment.shape[1]] = alignment
    return weights.round(7).tolist()
