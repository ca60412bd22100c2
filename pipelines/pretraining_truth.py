"""What the signatures of a pretrained BERT must answer, by `model.predict` and plain Python."""

import numpy as np
import tensorflow as tf

from seqnlp.text.bert_names import CLASSIFY, GLUE, MASK, SEPARATE
from serving.cases import make_case

NEAR_TIE = 1e-4  # relative, between two scores that float32 may rank either way


class PretrainingTruth:
    """Answers to texts.

    Args:
        model: `BERTPretrainer`.
        text: `BERTText` that was exported.
        n_best: Pieces that `fill_mask` gives for a gap.
    """

    def __init__(self, model, text, n_best):
        self.model = model
        self.text = text
        self.ids = text.names.special_ids
        self.n_best = n_best
        self.left_out = 0

    def cases(self, texts):
        """A case for each signature; of `fill_mask`, of the texts whose gaps float32 can rank."""
        strings = [x if isinstance(x, str) else x.decode(errors="replace") for x in texts]
        embedded = self.embeddings(strings)
        for name in ("serving_default", "embeddings"):
            yield make_case(name, {"text": texts}, embedded)
        inputs = {"text": texts, "text_pair": texts[::-1]}
        yield make_case("next_sentence", inputs, self.next_sentence(strings, strings[::-1]))
        answers = dict(zip(texts, self.fill_mask(strings), strict=True))
        kept = {text: answer for text, answer in answers.items() if answer is not None}
        self.left_out += len(answers) - len(kept)
        if kept or not texts:
            yield make_case("fill_mask", {"text": list(kept)}, self._columns(kept.values()))

    def tokenized(self, strings):
        """List of the ids of the pieces of each string."""
        return self.text.tokenize(tf.constant(strings, tf.string)).to_list()

    def predict(self, first, second=None, positions=()):
        """What the model says of rows of ids: its answers, and the states of its encoder."""
        begin, end = self.ids[CLASSIFY], self.ids[SEPARATE]
        before = [[begin, *row, end] for row in first]
        after = [[] if second is None else [*second[at], end] for at in range(len(first))]
        shape = len(first), max(len(a) + len(b) for a, b in zip(before, after, strict=True))
        inputs = {name: np.zeros(shape, "int32") for name in ("token_ids", "segment_ids")}
        for at, (a, b) in enumerate(zip(before, after, strict=True)):
            inputs["token_ids"][at, : len(a) + len(b)] = a + b
            inputs["segment_ids"][at, len(a) : len(a) + len(b)] = 1
        states = self.model.encoder.predict_on_batch(inputs)
        most = max([1, *map(len, positions)])
        rows = [[*row, *[0] * (most - len(row))] for row in positions or [[0]] * len(first)]
        inputs["positions"] = np.array(rows, "int32")
        return self.model.predict_on_batch(inputs), states

    def embeddings(self, strings):
        """The columns of `embeddings`."""
        units, most = self.model.encoder.config["units"], self.text.max_length - 2
        pieces = self.tokenized(strings)
        columns = {"pooled": [], "mean": [], "truncated": [len(row) > most for row in pieces]}
        if strings:
            _, states = self.predict([row[:most] for row in pieces])
            columns["pooled"] = states["pooled"].tolist()
            for row, vectors in zip(pieces, states["tokens"], strict=True):
                columns["mean"].append(vectors[: min(len(row), most) + 2].mean(axis=0).tolist())
        else:
            columns |= dict.fromkeys(("pooled", "mean"), np.zeros((0, units)))
        return columns

    def next_sentence(self, first, second):
        """The columns of `next_sentence`."""
        most = self.text.max_length - 3
        pairs = list(zip(self.tokenized(first), self.tokenized(second), strict=True))
        truncated = [len(a) + len(b) > most for a, b in pairs]
        for a, b in pairs:
            while len(a) + len(b) > most:  # the longer one is cut
                (a if len(a) > len(b) else b).pop()
        follows = []
        if pairs:
            found, _ = self.predict(*map(list, zip(*pairs, strict=True)))
            follows = _softmax(found["next_sentence"])[:, 0].tolist()
        return {"follows": follows, "truncated": truncated}

    def fill_mask(self, strings):
        """For each string `(pieces, scores, filled, truncated)`; None where scores are close."""
        most = self.text.max_length - 2
        rows, gaps, parts = [], [], [string.split(MASK) for string in strings]
        for split in parts:
            row = []
            for pieces in self.tokenized(split):
                row += [*pieces, self.ids[MASK]]
            rows.append(row[:-1])
            gaps.append([at + 1 for at, x in enumerate(rows[-1][:most]) if x == self.ids[MASK]])
        if not strings:
            return []
        found, _ = self.predict([row[:most] for row in rows], positions=gaps)
        scores = [_softmax(x[: len(y)]) for x, y in zip(found["masked_lm"], gaps, strict=True)]
        columns = zip(parts, scores, (len(row) > most for row in rows), strict=True)
        return [self._filled(*answer) for answer in columns]

    def _filled(self, parts, scores, truncated):
        order = np.argsort(-scores, axis=-1, kind="stable")[:, : self.n_best + 1]
        ranked = np.take_along_axis(scores, order, axis=-1)
        if (ranked[:, :-1] - ranked[:, 1:] < NEAR_TIE * ranked[:, :-1]).any():
            return None
        names = self.text.names.pieces
        pieces = [[names[index] for index in row[: self.n_best]] for row in order]
        filling = [row[0].removeprefix(GLUE) for row in pieces]
        filling += [MASK] * (len(parts) - 1 - len(filling))
        filled = "".join(a + b for a, b in zip(parts, [*filling, ""], strict=True))
        return pieces, ranked[:, : self.n_best].tolist(), filled, truncated

    def _columns(self, answers):
        """The columns of `fill_mask`, each row as wide as the one with most gaps."""
        answers = list(answers)
        most = max((len(pieces) for pieces, *_ in answers), default=0)
        empty = {"pieces": [""] * self.n_best, "scores": [0.0] * self.n_best}
        columns = {
            name: [row[at] + [filling] * (most - len(row[at])) for row in answers]
            for at, (name, filling) in enumerate(empty.items())
        }
        return columns | {
            "lengths": [len(pieces) for pieces, *_ in answers],
            "filled": [row[2] for row in answers],
            "truncated": [row[3] for row in answers],
        }


def _softmax(logits):
    scores = np.exp(logits.astype("float64") - logits.max(axis=-1, keepdims=True, initial=-1e30))
    return scores / scores.sum(axis=-1, keepdims=True)
