"""Subwords of the sentencepiece library, in the TensorFlow graph."""

import base64
import binascii
import hashlib

import tensorflow as tf

from seqnlp.text.files import opened
from seqnlp.text.names import UNKNOWN_ID
from seqnlp.text.normalize import valid_utf8
from seqnlp.text.piece_models import read_pieces
from seqnlp.text.subwords import Subwords
from seqnlp.text.tokenizers import offsets_before_cleaning, rank_1


class SentencePiece(Subwords):
    """Cuts strings into the pieces of a sentencepiece model, and joins pieces to strings.

    The ids are 0 padding, 1 unknown, 2 start, 3 end, then the pieces of the text. No text is
    cut into one of the ids 0, 2 and 3, and they stand for no text. A piece that begins a word
    is written with U+2581 in the place of the space before it.

    Strings come back from their pieces as the model normalises them. A model of
    `learn_sentence_piece` composes letters (NFC), makes one space of any white space, leaves
    it out at both ends, and drops control characters: what a reader sees stays as it is, so
    translations can be compared with references as they are.

    Args:
        model: `bytes`, a trained model of sentencepiece, BPE or unigram, with the four ids.

    Raises:
        ImportError: tensorflow-text is not installed.
        ValueError: `model` is no such thing.
    """

    def __init__(self, model):
        super().__init__(read_pieces(model), UNKNOWN_ID)
        self._model = model
        self._tokenizer = _tokenizer(model)

    def tokenize(self, strings):
        """Ids of the pieces of `strings`.

        Args:
            strings: String Tensor `(batch,)`. Invalid UTF-8 counts as U+FFFD, a NUL as a space.

        Returns:
            int32 RaggedTensor `(batch, (time))`.
        """
        return self._tokenizer.tokenize(_cleaned(rank_1(strings)))

    def tokenize_with_offsets(self, strings):
        """Ids of the pieces of `strings` and where in them they stand.

        Args:
            strings: String Tensor `(batch,)`.

        Returns:
            Three RaggedTensors `(batch, (time))`: int32 ids, int64 start and end of what each
            piece stands for, in bytes of the string as it was given. A piece that begins a
            word also spans the white space before it; the first piece of a string may span
            nothing, where the model has no piece for its first letters with the space.
        """
        strings = rank_1(strings)
        ids, starts, ends = self._tokenizer.tokenize_with_offsets(_cleaned(strings))
        starts, ends = offsets_before_cleaning(
            strings,
            ids.value_rowids(),
            tf.cast(starts.flat_values, tf.int64),
            tf.cast(ends.flat_values, tf.int64),
        )
        return ids, ids.with_values(starts), ids.with_values(ends)

    def detokenize(self, ids):
        """Strings of pieces.

        Args:
            ids: Integer RaggedTensor `(batch, (time))`. Padding, start and end stand for
                nothing; unknown, and numbers that are no id, for what the model shows for
                unknown: " ⁇ " if it says nothing else.

        Returns:
            String Tensor `(batch,)`.
        """
        return self._tokenizer.detokenize(self.known(ids))

    def save(self, path):
        """Writes the model to a file, on any filesystem of `tf.io.gfile`."""
        with opened(path, "wb") as file:
            file.write(self._model)

    @classmethod
    def load(cls, path):
        """Reads what `save` wrote, or a model of the sentencepiece library.

        Raises:
            FileNotFoundError, OSError: There is no such file, or it cannot be read.
            ValueError: It is no model that fits; the message names the file.
        """
        with opened(path, "rb") as file:
            model = file.read()
        try:
            return cls(model)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def settings(self):
        """What `load` takes beside the file: nothing."""
        return {}

    def get_config(self):
        """The constructor's arguments, as JSON can hold them: the model in base64."""
        return {"model": base64.b64encode(self._model).decode()}

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` describes."""
        try:
            model = base64.b64decode(config["model"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError(f"`model` must be in base64 ({error}).") from None
        return cls(model)


def _cleaned(strings):
    # No model has a piece with a NUL, which would end the keys of its normalisation. A space
    # is as long, so offsets stay.
    return tf.strings.regex_replace(valid_utf8(strings), "\x00", " ")


def _tokenizer(model):
    try:
        import tensorflow_text
    except ImportError as error:
        raise ImportError(
            'SentencePiece needs tensorflow-text: pip install "seqnlp[tensorflow]"'
        ) from error
    try:
        # In an export the name tells models apart: without one, all would be the last.
        name = f"sentence_piece_{hashlib.sha256(model).hexdigest()}"
        return tensorflow_text.SentencepieceTokenizer(model, name=name)
    except tf.errors.OpError as error:
        reason = error.message.split("}} ")[-1].split(" [Op:")[0]
        raise ValueError(
            "`model` must be the bytes of a sentencepiece model. "
            f"Received: model of {len(model)} bytes that tensorflow-text refuses ({reason})"
        ) from None
