"""Subword models, learned from a corpus or from the counts of its words."""

import collections
import collections.abc
import io
import itertools
import os
import re
import sys
import tempfile
import unicodedata

from seqnlp.text.names import END, END_ID, PADDING, START, START_ID, UNKNOWN, UNKNOWN_ID
from seqnlp.text.piece_models import proto_fields, read_pieces, sized_field

MODEL_TYPES = ("bpe", "unigram")
FORMS = (None, "nfc", "nfkc")

_NORMALIZER, _RULE_FILE = 3, 6  # fields of the messages ModelProto and NormalizerSpec


def learn_sentence_piece(
    counts,
    vocabulary_size,
    model_type="bpe",
    form="nfc",
    character_coverage=0.9995,
    byte_fallback=False,
):
    """Learns a model for `seqnlp.text.SentencePiece`.

    Pieces never span white space, so the counts of the words are all there is to learn from:
    memory grows with the number of different words, not with the corpus. The same counts give
    the same bytes, in whatever order they come.

    Args:
        counts: Mapping from a word (or a longer text) to its count, or an iterable of texts.
            Words of more than 4192 bytes are not learned from.
        vocabulary_size: Number of ids, the four specials included.
        model_type: `"bpe"` (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909) or
            `"unigram"` (Kudo 2018, https://arxiv.org/abs/1804.10959).
        form: What the model makes of a text before it cuts it. `"nfc"`: composed letters,
            single spaces, no control characters; nothing that a reader would see is changed.
            `"nfkc"`: sentencepiece's own rules, by which also "…" becomes "...", "½" "1/2", and
            full-width letters plain ones: such differences from a reference cost BLEU. None:
            the text as it is.
        character_coverage: Part of the characters of the corpus that have pieces; the rarest
            beyond it are unknown.
        byte_fallback: Whether unknown characters are spelled in bytes: 256 more ids, and no
            unknown.

    Returns:
        `bytes`, the model; sentencepiece 0.1.96 can read it, which TensorFlow Serving 2.20 has.

    Raises:
        ImportError: sentencepiece is not installed; the message names the extra.
        ValueError: An argument is wrong, or `vocabulary_size` does not fit the corpus; the
            message says the sizes that do.
    """
    _check_arguments(vocabulary_size, model_type, form, character_coverage)
    library = _sentencepiece()
    words = _words(counts)
    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        try:
            library.SentencePieceTrainer.train(
                sentence_iterator=(f"{word}\t{count}" for word, count in words),
                input_format="tsv",
                model_writer=model,
                vocab_size=vocabulary_size,
                model_type=model_type,
                character_coverage=character_coverage,
                byte_fallback=byte_fallback,
                pad_id=0,
                unk_id=UNKNOWN_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                pad_piece=PADDING,
                unk_piece=UNKNOWN,
                bos_piece=START,
                eos_piece=END,
                num_threads=1,  # several sum their floats in an order of their own
                minloglevel=2,
                **_normalization(form, folder),
            )
        except RuntimeError as error:
            raise _explained(error, vocabulary_size, len(words)) from None
    model = _without_rule_file(model.getvalue())
    read_pieces(model)
    return model


def _check_arguments(vocabulary_size, model_type, form, character_coverage):
    if model_type not in MODEL_TYPES:
        raise ValueError(
            f"`model_type` must be one of {MODEL_TYPES}. Received: model_type={model_type!r}"
        )
    if form not in FORMS:
        raise ValueError(f"`form` must be one of {FORMS}. Received: form={form!r}")
    if not isinstance(vocabulary_size, int) or vocabulary_size < 5:
        raise ValueError(
            "`vocabulary_size` must be a whole number, at least 5: four specials and a piece. "
            f"Received: vocabulary_size={vocabulary_size!r}"
        )
    if not 0.98 <= character_coverage <= 1:
        raise ValueError(
            "`character_coverage` must be from 0.98 to 1. "
            f"Received: character_coverage={character_coverage!r}"
        )


def _words(counts):
    """`(word, count)`, the most frequent first, of what `learn_sentence_piece` takes."""
    if not isinstance(counts, collections.abc.Mapping):
        counts = collections.Counter(counts)
    words = collections.Counter()
    for text, count in counts.items():
        # A NUL would end the text inside the library, and is a space to `SentencePiece`.
        for word in text.replace("\0", " ").split():
            words[word] += count
    if not words:
        raise ValueError(
            "`counts` must hold at least one word. "
            f"Received: counts with {len(counts)} texts, none with a word"
        )
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))


def _sentencepiece():
    try:
        import sentencepiece
    except ImportError as error:
        raise ImportError(
            'learning subwords needs sentencepiece: pip install "seqnlp[beam]"'
        ) from error
    return sentencepiece


def _explained(error, vocabulary_size, num_words):
    message = str(error)
    if most := re.search(r"value <= (\d+)", message):
        limit = f"at most {most[1]} for this corpus of {num_words} different words"
    elif least := re.search(r"required_chars\. \d+ vs (\d+)", message):
        limit = (
            f"at least {least[1]} for this corpus, which has that many characters and specials "
            "(a lower `character_coverage` leaves out rare ones)"
        )
    else:
        return ValueError(
            "`counts` must hold words that sentencepiece can learn from "
            f"({message}). Received: counts with {num_words} different words"
        )
    return ValueError(
        f"`vocabulary_size` must be {limit}. Received: vocabulary_size={vocabulary_size}"
    )


def _normalization(form, folder):
    """Options of the library for a normal form; it reads its rules from a file in `folder`."""
    if form != "nfc":
        return {"normalization_rule_name": "identity" if form is None else "nmt_nfkc"}
    path = os.path.join(folder, "rules.tsv")
    with open(path, "w", encoding="ascii") as file:
        for text, replacement in sorted(_composing_rules().items()):
            file.write(f"{_code_points(text)}\t{_code_points(replacement)}\n")
    return {"normalization_rule_tsv": path}


def _code_points(text):
    return " ".join(f"{ord(character):X}" for character in text)


def _composing_rules():
    """NFC and clean white space, as replacements for the longest text found in them."""
    rules = {"\u2581": " "}  # the library's own mark for a space
    for code in range(1, sys.maxunicode + 1):
        character = chr(code)
        if character == " ":
            continue
        if character.isspace() or character == "\u200b":
            rules[character] = " "
        elif unicodedata.category(character) == "Cc" or character == "\ufeff":
            rules[character] = ""
        elif _is_composed(character):
            composed = unicodedata.normalize("NFC", character)
            rules |= dict.fromkeys(_spellings(character), composed)
    return rules


def _is_composed(character):
    return unicodedata.normalize("NFD", character) != character


def _spellings(character):
    """What NFC makes the same of as of `character`, and is not that already."""
    composed = unicodedata.normalize("NFC", character)
    first, *marks = unicodedata.normalize("NFD", character)
    for order in itertools.permutations(marks):
        for end in range(len(order) + 1):
            begun = unicodedata.normalize("NFC", first + "".join(order[:end]))
            spelling = begun + "".join(order[end:])
            if spelling != composed and unicodedata.normalize("NFC", spelling) == composed:
                yield spelling
    if character != composed:
        yield character


def _without_rule_file(model):
    """The model without the name of the file that held its rules, which was for one run."""
    fields = []
    for number, value, written in proto_fields(model):
        if number == _NORMALIZER:
            kept = (part for inner, _, part in proto_fields(value) if inner != _RULE_FILE)
            written = sized_field(number, b"".join(kept))
        fields.append(written)
    return b"".join(fields)
