"""What stands between tokens and a tagger: one object for preparation, training and export."""

import json
import os

import tensorflow as tf

from seqnlp.text.bert_names import BERT_FOLDER
from seqnlp.text.bert_parts import part_inputs, sentence_parts
from seqnlp.text.bert_text import BERTText
from seqnlp.text.files import make_folder, remove_file, write_lines
from seqnlp.text.names import (
    CHARACTERS_FILE,
    CONFIG_FILE,
    LABELS_FILE,
    SPECIALS,
    TAGS_FILE,
    WORDS_FILE,
    TaggingNames,
    read_settings,
)
from seqnlp.text.normalize import Normalizer
from seqnlp.text.padding import padded
from seqnlp.text.tokenizers import CharacterTokenizer, RegexTokenizer, WordTokenizer
from seqnlp.text.vocabulary import Vocabulary

_TOKENIZERS = {c.__name__: c for c in (WordTokenizer, RegexTokenizer, CharacterTokenizer)}
# A vocabulary cannot hold a line feed, so it always looks up to the unknown id.
_NO_CHARACTER = "\n"


class TaggingText(tf.Module):
    """Turns tokens into what a tagger reads, and knows the names of the tags.

    A word is looked up normalised; its characters keep their case, in the normal form of the
    normalizer. Nothing here shortens a sentence by itself, so tokens, inputs and tags stay
    aligned: call `truncate` first where sentences may be longer than `max_length`.

    Args:
        words: `Vocabulary` of normalised words.
        characters: `Vocabulary` of characters (`split_characters`), or None for a tagger
            that does not read them.
        tags: Names of the tags, in the order of their ids.
        tokenizer: Cuts strings into tokens; None is `WordTokenizer()`.
        normalizer: Applied to words before look-up; None is
            `Normalizer(lowercase=True, digits=True)`.
        max_word_length: A longer word is read by its first characters.
        max_length: Most tokens that `truncate` leaves of a sentence; None leaves all.
        labels: Names of the labels of whole sentences, in the order of their ids, or None
            for a tagger that gives none.
        bert: `BERTText` that cuts words into the pieces that a tagger on BERT reads, and says how
            many it reads at once; None for a tagger that reads whole words.

    Raises:
        ValueError: Names are missing, empty or repeated, or a length is below 1.
    """

    def __init__(
        self,
        words,
        characters,
        tags,
        tokenizer=None,
        normalizer=None,
        max_word_length=20,
        max_length=None,
        labels=None,
        bert=None,
    ):
        super().__init__()
        _check_names("tags", tags)
        if labels is not None:
            _check_names("labels", labels)
        _check_length("max_word_length", max_word_length)
        if max_length is not None:
            _check_length("max_length", max_length)
        self.words = words
        self.characters = characters
        self._tags = tuple(tags)
        self._labels = None if labels is None else tuple(labels)
        self.tokenizer = tokenizer or WordTokenizer()
        self.normalizer = normalizer or Normalizer(lowercase=True, digits=True)
        self.max_word_length = max_word_length
        self.max_length = max_length
        self.bert = bert

    @property
    def tags(self):
        """List of `str`: the name of every tag id."""
        return list(self._tags)

    @property
    def labels(self):
        """List of `str`, the name of every label id, or None."""
        return None if self._labels is None else list(self._labels)

    def split_characters(self, tokens):
        """The characters that `ids` looks up, for counting them.

        Args:
            tokens: String Tensor `(tokens,)`.

        Returns:
            String RaggedTensor `(tokens, (characters))`: code points of the token in normal
            form with its case kept, at most `max_word_length`, at least one: an empty token
            is one line feed, which no vocabulary holds.
        """
        tokens = Normalizer(form=self.normalizer.form)(tokens)
        tokens = tf.strings.substr(tokens, 0, self.max_word_length, unit="UTF8_CHAR")
        tokens = tf.where(tf.equal(tokens, ""), _NO_CHARACTER, tokens)
        return tf.strings.unicode_split(tokens, "UTF-8")

    def truncate(self, tokens):
        """Cuts sentences to `max_length` tokens.

        Args:
            tokens: RaggedTensor `(batch, (time))` of any dtype.

        Returns:
            The same with at most `max_length` tokens a row, and a bool Tensor `(batch,)`,
            True where tokens were cut off.
        """
        if self.max_length is None:
            return tokens, tf.zeros([tokens.nrows()], tf.bool)
        return tokens[:, : self.max_length], tokens.row_lengths() > self.max_length

    def ids(self, tokens):
        """Ids of tokens, ragged.

        Args:
            tokens: String RaggedTensor `(batch, (time))`. An empty token is an unknown word
                of one unknown character.

        Returns:
            Dict of int32 RaggedTensors: `word_ids` `(batch, (time))` and, with a character
            vocabulary, `char_ids` `(batch, (time), (characters))`.

        Raises:
            ValueError: `tokens` is no RaggedTensor.
        """
        _check_ragged(tokens)
        ids = {"word_ids": self.words.lookup(self.normalizer(tokens))}
        if self.characters is not None:
            characters = self.split_characters(tokens.flat_values)
            ids["char_ids"] = tokens.with_values(self.characters.lookup(characters))
        return ids

    def parts(self, tokens):
        """Ids of the pieces of tokens, ragged; there is a `bert` to cut them.

        Args:
            tokens: String RaggedTensor `(batch, (time))`. A token without pieces is unknown.

        Returns:
            Dict of int32 RaggedTensors `(batch, (parts), (pieces))`: `token_ids`, the specials
            of BERT among them, and `word_starts`, 1 at the first piece of each token.

        Raises:
            ValueError: `tokens` is no RaggedTensor.
        """
        _check_ragged(tokens)
        return sentence_parts(self.bert, tokens)

    def inputs(self, tokens):
        """What the tagger is called with.

        Args:
            tokens: String RaggedTensor `(batch, (time))`.

        Returns:
            Dict of dense int32 Tensors, padded with 0: `word_ids` `(batch, time)` and, with
            a character vocabulary, `char_ids` `(batch, time, characters)`. `time` and
            `characters` are at least 1, also for an empty batch. With a `bert` instead
            `token_ids` and `segment_ids` `(batch, parts, pieces)` and `word_positions`
            `(batch, time)`, the place of each token's first piece in all parts of its sentence.
        """
        if self.bert is not None:
            return part_inputs(self.parts(tokens))
        return {name: padded(ids) for name, ids in self.ids(tokens).items()}

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        characters = None if self.characters is None else self.characters.get_config()
        return {
            "words": self.words.get_config(),
            "characters": characters,
            "tags": self.tags,
            "labels": self.labels,
            **({} if self.bert is None else {"bert": self.bert.get_config()}),
            **self._settings(),
        }

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` describes."""
        characters = config["characters"]
        children = {
            **_children(config),
            "words": Vocabulary.from_config(config["words"]),
            "characters": characters and Vocabulary.from_config(characters),
        }
        if "bert" in config:
            children["bert"] = BERTText.from_config(config["bert"])
        return cls(**{**config, **children})

    def save(self, folder):
        """Writes vocabulary.txt, characters.txt and labels.txt (if any), tags.txt and text.json.

        What `BERTText.save` writes (if any) comes in a folder of its own below this one, bert.

        Args:
            folder: Folder on any filesystem of `tf.io.gfile`; made if missing.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        make_folder(folder)
        self.words.save(os.path.join(folder, WORDS_FILE))
        characters_path = os.path.join(folder, CHARACTERS_FILE)
        if self.characters is not None:
            self.characters.save(characters_path)
        else:
            remove_file(characters_path)
        write_lines(os.path.join(folder, TAGS_FILE), self._tags)
        labels_path = os.path.join(folder, LABELS_FILE)
        if self._labels is not None:
            write_lines(labels_path, self._labels)
        else:
            remove_file(labels_path)
        if self.bert is not None:
            self.bert.save(os.path.join(folder, BERT_FOLDER))
        settings = {
            **self._settings(),
            "characters": self.characters is not None,
            "labels": self._labels is not None,
            **({} if self.bert is None else {"bert": True}),
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
        settings, names = read_settings(folder), TaggingNames.load(folder)
        del settings["characters"]
        bert = None
        if settings.pop("bert", False):
            bert = BERTText.load(os.path.join(folder, BERT_FOLDER))
        words, characters = (
            listed and Vocabulary(listed[len(SPECIALS) :])
            for listed in (names.words, names.characters)
        )
        try:
            settings |= {**_children(settings), "labels": names.labels, "bert": bert}
            return cls(words, characters, names.tags, **settings)
        except (ValueError, TypeError, KeyError) as error:  # the other files are checked above
            raise ValueError(f"{os.path.join(folder, CONFIG_FILE)}: {error}") from None

    def _settings(self):
        return {
            "tokenizer": {
                "name": type(self.tokenizer).__name__,
                **self.tokenizer.get_config(),
            },
            "normalizer": self.normalizer.get_config(),
            "max_word_length": self.max_word_length,
            "max_length": self.max_length,
        }


def _check_names(argument, names):
    if not names or isinstance(names, str):
        raise ValueError(
            f"`{argument}` must be a list of {argument[:-1]} names. Received: {argument}={names!r}"
        )
    seen = set()
    for name in names:
        if not name or name in seen or "\n" in name or "\r" in name:
            raise ValueError(
                f"`{argument}` must be different, non-empty names without line breaks. "
                f"Received: {argument}=[..., {name!r}, ...]"
            )
        seen.add(name)


def _check_ragged(tokens):
    if not isinstance(tokens, tf.RaggedTensor):
        raise ValueError(
            "`tokens` must be a RaggedTensor (batch, (time)). "
            f"Received: tokens with shape {tuple(tokens.shape)}"
        )


def _check_length(name, length):
    if not isinstance(length, int) or length < 1:
        raise ValueError(
            f"`{name}` must be a whole number, at least 1. Received: {name}={length!r}"
        )


def _children(config):
    """The tokenizer and normalizer that `_settings` describes."""
    tokenizer = dict(config["tokenizer"])
    name = tokenizer.pop("name", None)
    if name not in _TOKENIZERS:
        raise ValueError(
            f"`tokenizer` must be one of {sorted(_TOKENIZERS)}. Received: tokenizer={name!r}"
        )
    return {
        "tokenizer": _TOKENIZERS[name].from_config(tokenizer),
        "normalizer": Normalizer.from_config(config["normalizer"]),
    }
