"""Translating a validation split after each epoch."""

import keras
import numpy as np
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import Forbidden, beam_search, greedy
from seqnlp.metrics import bleu, chrf
from seqnlp.text.names import END_ID, NEVER_WRITTEN, START_ID


class Translations:
    """Translates batches of source ids, compiled once for each shape.

    Args:
        model: A sequence-to-sequence model of `seqnlp.models`.
        beam_width: Hypotheses that are followed; 1 is greedy.
        length_penalty: Of `seqnlp.decoding.beam_search`.
        max_length: Most tokens of a translation; None for `1.5 * source + 10`, `source` being the
            padded length of a batch.
        compiled: Whether XLA compiles; without it TensorFlow's graph runs.
    """

    def __init__(self, model, beam_width=1, length_penalty=0.0, max_length=None, compiled=True):
        self.model = model

        # The weights are arguments: a compiled function would keep those of its first call.
        def run(values, source_ids):
            with keras.StatelessScope(list(zip(model.variables, values, strict=True))):
                most = max_length or source_ids.shape[1] * 3 // 2 + 10
                state = model.initial_state(source_ids, most)
                start = ops.full((source_ids.shape[0],), START_ID, dtype="int32")
                search = model.step, state, start, END_ID, most
                rules = [Forbidden(NEVER_WRITTEN)]
                if beam_width == 1:
                    return greedy(*search, rules=rules)
                return beam_search(
                    *search, beam_width=beam_width, length_penalty=length_penalty, rules=rules
                )

        self._run = gradients.compiled(run) if compiled else run

    def decoded(self, source_ids):
        """`seqnlp.decoding.Decoded` of int source ids `(batch, source)`."""
        values = [ops.convert_to_tensor(variable.value) for variable in self.model.variables]
        return self._run(values, ops.convert_to_tensor(source_ids, dtype="int32"))

    def ids(self, batches):
        """The best translation of each sentence of some batches.

        Args:
            batches: Iterable of `(inputs, labels, sample_weight)`, as `translation_batches` gives
                them; rows of weight 0 are left out.

        Returns:
            List of lists of target ids, without start and end.
        """
        found = []
        for inputs, _, weight in batches:
            decoded = self.decoded(inputs["source_ids"])
            token_ids, lengths = map(ops.convert_to_numpy, (decoded.token_ids, decoded.lengths))
            if token_ids.ndim == 3:  # hypotheses of a beam, best first
                token_ids, lengths = token_ids[:, 0], lengths[:, 0]
            for row, length, counts in zip(token_ids, lengths, np.asarray(weight), strict=True):
                if counts:
                    found.append(row[:length].tolist())
        return found


class TranslationEvaluation(keras.callbacks.Callback):
    """Translates the validation split after each epoch and adds its scores to the logs.

    The logs gain `val_bleu`, cased, and `val_chrf`; sacrebleu's signatures of both are printed
    once. Place it before callbacks that read the logs.

    Args:
        batches: Iterable of `(inputs, labels, sample_weight)`.
        references: List of strings, what is right.
        to_sentences: Function from lists of target ids to strings.
        tokenize: How `seqnlp.metrics.bleu` finds tokens.
    """

    def __init__(self, batches, references, to_sentences, tokenize="13a"):
        super().__init__()
        self.batches = batches
        self.references = references
        self.to_sentences = to_sentences
        self.tokenize = tokenize

    def on_train_begin(self, logs=None):
        self._translations = Translations(self.model)
        self._has_signed = False

    def scores(self):
        """Dict of `val_bleu` and `val_chrf`, of the model as it is."""
        sentences = self.to_sentences(self._translations.ids(self.batches))
        found = {
            "val_bleu": bleu(sentences, self.references, self.tokenize),
            "val_chrf": chrf(sentences, self.references),
        }
        if not self._has_signed:
            self._has_signed = True
            for name, counted in found.items():
                print(f"\n{name}: {counted.signature}", end="")
            print()
        return {name: counted.score for name, counted in found.items()}

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self.scores())
