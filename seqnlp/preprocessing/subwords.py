"""Subword models, learned from a corpus or from the counts of its words."""

import collections
import collections.abc
import io
import math
import os
import re
import tempfile

from seqnlp.preprocessing.composing import composing_rules
from seqnlp.text.names import END, END_ID, PADDING, START, START_ID, UNKNOWN, UNKNOWN_ID
from seqnlp.text.piece_models import proto_fields, read_pieces, sized_field
from seqnlp.text.translation_names import SUBWORD_SPECIALS

MODEL_TYPES = ("bpe", "unigram")
FORMS = ("nfc", "nfkc")

_SPACES = dict.fromkeys([0, 0x200B, 0x2581], " ")
_BATCH_WORDS = 20_000
_LONGEST = 50  # characters of a word that word pieces are learned from
_FULL = 0.95  # of the size asked for: a search for more costs more than it gives
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
            full-width letters plain ones: such differences from a reference cost BLEU.
        character_coverage: Part of the characters of the corpus that have pieces; the rarest
            beyond it are unknown. 1 suits languages with a small alphabet.
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


def learn_word_piece(
    counts, vocabulary_size, lowercase=False, max_characters=1000, specials=SUBWORD_SPECIALS
):
    """Learns the tokens of a `seqnlp.text.WordPiece`, by the learner of tensorflow-text.

    The same counts give the same tokens, in whatever order they come.

    Args:
        counts: Mapping from a word (or a longer text) to its count, or an iterable of texts.
            Words of more than 50 characters are not learned from.
        vocabulary_size: Most ids, the specials included. What is searched for is the
            least count of a token, and 95% of the ids are enough: there may be fewer.
        lowercase: Whether the `WordPiece` will take away case and accents.
        max_characters: Words with a character that is not among so many most frequent ones
            are left out: every character is two tokens, at the beginning of a word and within.
        specials: The tokens that come first.

    Returns:
        List of `str`, the token of every id, specials first.

    Raises:
        ImportError: tensorflow-text is not installed; the message names the extra.
        ValueError: `vocabulary_size` is too small for the characters of the corpus; the
            message says the least size.
    """
    learner = _word_piece_learner()
    raw_words = _words(counts)
    words = [item for item in _basic_words(raw_words, lowercase) if len(item[0]) <= _LONGEST]
    if not words:
        raise _no_words(len(raw_words))

    # The learner's own search may end above the size asked for. Sizes fall about as one over
    # the least count, so the middle is the geometric one.
    counted, tokens = [count for _, count in words], None
    low, high = min(counted), max(counted)
    while low <= high:
        middle = math.isqrt(low * high)
        learned = learner.learn(
            words,
            vocabulary_size,
            list(specials),
            lower_thresh=middle,
            upper_thresh=middle,
            max_unique_chars=max_characters,
            max_token_length=_LONGEST,
        )
        if len(learned) > vocabulary_size:
            low = middle + 1
            continue
        tokens, high = learned, middle - 1
        if len(tokens) >= _FULL * vocabulary_size:
            break
    if tokens is None:
        raise ValueError(
            f"`vocabulary_size` must be at least {len(learned)} for this corpus: two tokens for "
            "each character, and the specials (a lower `max_characters` leaves out rare ones). "
            f"Received: vocabulary_size={vocabulary_size}"
        )
    return tokens


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
    """`(word, count)`, the most frequent first, of what the learning functions take."""
    if not isinstance(counts, collections.abc.Mapping):
        counts = collections.Counter(counts)
    words = collections.Counter()
    for text, count in counts.items():
        if not _is_text(text) or not isinstance(count, int) or count < 1:
            raise ValueError(
                "`counts` must be a mapping from valid strings to whole numbers, at least 1, or "
                f"an iterable of valid strings. Received: counts={{..., {text!r}: {count!r}, ...}}"
            )
        # Spaces to the library, or the end of the text.
        for word in text.translate(_SPACES).split():
            words[word] += count
    if not words:
        raise _no_words(len(counts))
    return _most_frequent_first(words)


def _is_text(text):
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError):  # no string, or with a lone surrogate
        return False
    return True


def _no_words(num_texts):
    return ValueError(
        "`counts` must hold words with characters to learn, not too long ones alone. "
        f"Received: counts with {num_texts} texts, none with such a word"
    )


def _most_frequent_first(words):
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))


def _basic_words(words, lowercase):
    """`(word, count)`, the most frequent first, of the words that `WordPiece` makes of these."""
    from seqnlp.text.basic_words import BasicWords

    cut, sums = BasicWords(lowercase), collections.Counter()
    for begin in range(0, len(words), _BATCH_WORDS):
        batch = words[begin : begin + _BATCH_WORDS]
        parts = cut([word for word, _ in batch]).to_list()
        for (_, count), row in zip(batch, parts, strict=True):
            for part in row:
                sums[part.decode()] += count
    return _most_frequent_first(sums)


def _word_piece_learner():
    try:
        from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib
    except ImportError as error:
        raise ImportError(
            'learning word pieces needs tensorflow-text: pip install "seqnlp[tensorflow]"'
        ) from error
    return wordpiece_tokenizer_learner_lib


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
    elif "sentences_.empty()" in message or "all_chars_count" in message:
        return _no_words(num_words)
    else:
        return error
    return ValueError(
        f"`vocabulary_size` must be {limit}. Received: vocabulary_size={vocabulary_size}"
    )


def _normalization(form, folder):
    """Options of the library for a normal form; it reads its rules from a file in `folder`."""
    if form == "nfkc":
        return {"normalization_rule_name": "nmt_nfkc"}
    path = os.path.join(folder, "rules.tsv")
    with open(path, "w", encoding="ascii") as file:
        for text, replacement in sorted(composing_rules().items()):
            file.write(f"{_code_points(text)}\t{_code_points(replacement)}\n")
    return {"normalization_rule_tsv": path}


def _code_points(text):
    return " ".join(f"{ord(character):X}" for character in text)


def _without_rule_file(model):
    """The model without the name of the file that held its rules, which was for one run."""
    fields = []
    for number, value, written in proto_fields(model):
        if number == _NORMALIZER:
            kept = (part for inner, _, part in proto_fields(value) if inner != _RULE_FILE)
            written = sized_field(number, b"".join(kept))
        fields.append(written)
    return b"".join(fields)
