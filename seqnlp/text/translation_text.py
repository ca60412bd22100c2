"""What stands between strings and a translator: one object for preparation and export."""

import json
import os

import tensorflow as tf

from seqnlp.text.files import make_folder, remove_file, write_lines
from seqnlp.text.names import CONFIG_FILE, END_ID
from seqnlp.text.sentence_piece import SentencePiece
from seqnlp.text.translation_names import (
    SIDES,
    SUBWORD_SPECIALS,
    SUFFIXES,
    TranslationNames,
    check_sides,
    read_translation_settings,
    subword_file,
)
from seqnlp.text.word_piece import WordPiece

_KINDS = {kind.__name__: kind for kind in (SentencePiece, WordPiece)}


class TranslationText(tf.Module):
    """Turns sentences into what a translator reads, and its answers into sentences.

    On both sides the ids are 0 padding, 1 unknown, 2 start, 3 end, then the pieces.

    Args:
        source: `SentencePiece` or `WordPiece` of the language translated from.
        target: The same of the language translated to. None, or the same object: both sides
            share their pieces (`joint`), so a model may share its embeddings.
        max_length: Most ids of a source sentence, its end included; None is no limit.

    Raises:
        ValueError: A side is no such thing or has other specials, or `max_length` is below 1.
    """

    def __init__(self, source, target=None, max_length=None):
        super().__init__()
        target = source if target is None else target
        _check_subwords("source", source)
        _check_subwords("target", target)
        if max_length is not None and (not isinstance(max_length, int) or max_length < 1):
            raise ValueError(
                "`max_length` must be a whole number, at least 1, or None. "
                f"Received: max_length={max_length!r}"
            )
        self.source = source
        self.target = target
        self.max_length = max_length

    @property
    def joint(self):
        """Whether both sides share their pieces."""
        return self.source is self.target

    @property
    def source_vocabulary_size(self):
        """Number of ids of the source."""
        return self.source.vocabulary_size

    @property
    def target_vocabulary_size(self):
        """Number of ids of the target."""
        return self.target.vocabulary_size

    def encode_source(self, strings):
        """What a translator reads.

        Args:
            strings: String Tensor `(batch,)`.

        Returns:
            int32 RaggedTensor `(batch, (time))`: the pieces and the end, at most `max_length`
            ids a row; just the end for a string without text.
        """
        return self.read_source(strings)[0]

    def read_source(self, strings):
        """What a translator reads, and what was cut off.

        Args:
            strings: String Tensor `(batch,)`.

        Returns:
            `encode_source(strings)`, and a bool Tensor `(batch,)`, True where pieces were cut
            off.
        """
        ids = self.source.tokenize(strings)
        truncated = tf.zeros([ids.nrows()], tf.bool)
        if self.max_length is not None:
            truncated = ids.row_lengths() >= self.max_length
            ids = ids[:, : self.max_length - 1]
        end = tf.fill([ids.nrows(), 1], END_ID)
        return tf.concat([ids, end], axis=1), truncated

    def encode_target(self, strings):
        """The pieces of translations, without start and end, however many they are.

        Args:
            strings: String Tensor `(batch,)`.

        Returns:
            int32 RaggedTensor `(batch, (time))`.
        """
        return self.target.tokenize(strings)

    def decode(self, ids, lengths=None):
        """Sentences of a translator's answers.

        Args:
            ids: Integer Tensor `(..., time)` of target ids. Padding, start and end stand for
                nothing.
            lengths: Integer Tensor `(...)`: ids from there on are left out. None keeps all.

        Returns:
            String Tensor `(...)`.
        """
        ids = tf.convert_to_tensor(ids)
        shape = tf.shape(ids)
        flat = tf.reshape(ids, [tf.reduce_prod(shape[:-1]), shape[-1]])
        if lengths is not None:
            lengths = tf.minimum(tf.reshape(lengths, [-1]), tf.cast(shape[-1], lengths.dtype))
        strings = self.target.detokenize(tf.RaggedTensor.from_tensor(flat, lengths))
        strings = tf.reshape(strings, shape[:-1])
        return tf.ensure_shape(strings, ids.shape[:-1])

    def pieces(self, ids):
        """The piece of each target id, strings of the shape of `ids`."""
        return self.target.pieces(ids)

    def source_pieces(self, ids):
        """The piece of each source id, strings of the shape of `ids`."""
        return self.source.pieces(ids)

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {
            **{
                side: subwords and {"name": type(subwords).__name__, **subwords.get_config()}
                for side, subwords in self._sides().items()
            },
            "max_length": self.max_length,
        }

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` describes."""
        check_sides(config)
        sides = {}
        for side in ("source", "target"):
            settings = config[side] and dict(config[side])
            sides[side] = settings and _KINDS[settings.pop("name")].from_config(settings)
        return cls(**sides, max_length=config["max_length"])

    def save(self, folder):
        """Writes the pieces of the sides and text.json.

        The pieces are in `source` and `target`, or `joint`, with the suffix `.spm` (a model of
        sentencepiece) or `.txt` (the tokens of a `WordPiece`, one a line).

        Args:
            folder: Folder on any filesystem of `tf.io.gfile`; made if missing.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        make_folder(folder)
        files = {}
        for side, subwords in self._sides().items():
            if subwords is not None:
                side = "joint" if self.joint else side
                files[subword_file(side, type(subwords).__name__)] = subwords
        for name in (subword_file(side, kind) for side in SIDES for kind in SUFFIXES):
            if name in files:
                files[name].save(os.path.join(folder, name))
            else:
                remove_file(os.path.join(folder, name))
        settings = {
            **{
                side: subwords and {"name": type(subwords).__name__, **subwords.settings()}
                for side, subwords in self._sides().items()
            },
            "max_length": self.max_length,
        }
        write_lines(
            os.path.join(folder, CONFIG_FILE),
            [json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)],
        )

    @classmethod
    def load(cls, folder):
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError, OSError: A file is missing or cannot be read.
            ValueError: A file does not hold what it should; the message names it.
        """
        settings = read_translation_settings(folder)
        TranslationNames.load(folder)  # checks the files, and says which line is wrong
        joint = settings["target"] is None
        sides = {}
        for side in ("source",) if joint else ("source", "target"):
            arguments = dict(settings[side])
            kind = arguments.pop("name")
            path = os.path.join(folder, subword_file("joint" if joint else side, kind))
            try:
                sides[side] = _KINDS[kind].load(path, **arguments)
            except TypeError:
                raise ValueError(
                    f"{os.path.join(folder, CONFIG_FILE)}: `{side}` must have the settings of a "
                    f"{kind}. Received: {side}={settings[side]!r}"
                ) from None
        try:
            return cls(**sides, max_length=settings["max_length"])
        except ValueError as error:
            raise ValueError(f"{os.path.join(folder, CONFIG_FILE)}: {error}") from None

    def _sides(self):
        return {"source": self.source, "target": None if self.joint else self.target}


def _check_subwords(argument, subwords):
    if not isinstance(subwords, tuple(_KINDS.values())):
        raise ValueError(
            f"`{argument}` must be a SentencePiece or a WordPiece. "
            f"Received: {argument}={type(subwords).__name__}"
        )
    # A model of sentencepiece may name the four as it likes, and has checked their ids.
    first = subwords.tokens[: len(SUBWORD_SPECIALS)]
    if isinstance(subwords, WordPiece) and first != SUBWORD_SPECIALS:
        raise ValueError(
            f"`{argument}` must begin with the tokens {SUBWORD_SPECIALS}. "
            f"Received: {argument} that begins with {first}"
        )
