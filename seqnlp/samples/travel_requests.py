"""Generated booking requests in English and Korean, with slots and intents."""

import hashlib
import random
import re
from types import ModuleType
from typing import NamedTuple

from seqnlp.samples import english, korean
from seqnlp.samples.grammar import KINDS, bio_tags, delexicalise, expand, fill, token_offsets

INTENTS = (
    "book_flight",
    "book_train",
    "book_hotel",
    "change_booking",
    "cancel_booking",
    "check_status",
    "ask_price",
)
SIZES = {"train": 6000, "eval": 1000, "test": 1200}

_LANGUAGES = {"en": english, "ko": korean}
_PATTERN_SHARES = (("train", 0.6), ("eval", 0.15), ("test", 0.25))
_VALUE_SHARES = (("train", 0.65), ("eval", 0.15), ("test", 0.2))
_HELD_OUT_KINDS = ("place", "person", "hotel", "airline", "date", "time", "price")
_LOWER_CASE = 0.3


class TravelRequest(NamedTuple):
    """A sentence, its tokens with one BIO tag each, and what it asks for."""

    language: str
    text: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    intent: str


def travel(split="train", seed=0):
    """Generates one split of the booking requests; half are English, half Korean.

    No two sentences of a split are the same. With its values replaced by slot names, a
    sentence of one split occurs in no other split, whatever the seeds. Values are held out
    as well: some names, dates, times and prices belong to `eval` or `test` alone.

    Args:
        split: `"train"` (6000 sentences), `"eval"` (1000) or `"test"` (1200).
        seed: Integer; the same seed gives the same sentences in every process.

    Returns:
        List of `TravelRequest`.

    Raises:
        ValueError: If `split` is no name of a split.
    """
    if split not in SIZES:
        raise ValueError(f"`split` must be one of {', '.join(SIZES)}. Received: split={split!r}")
    rng = random.Random(f"travel {split} {seed}")
    requests, texts = [], set()
    while len(requests) < SIZES[split]:
        language = tuple(_LANGUAGES)[len(requests) % len(_LANGUAGES)]
        request = _Writer(language, split, rng).write()
        if request is not None and request.text not in texts:
            texts.add(request.text)
            requests.append(request)
    return requests


def to_conll(requests):
    """Writes requests as CoNLL columns.

    Args:
        requests: Iterable of `TravelRequest`.

    Returns:
        String: a line `token TAB tag` for every token, before each sentence the comments
        `# intent = ...`, its label, and `# text = ...`, after it an empty line.
    """
    lines = []
    for request in requests:
        lines += [f"# intent = {request.intent}", f"# text = {request.text}"]
        lines += map("\t".join, zip(request.tokens, request.tags, strict=True))
        lines.append("")
    return "".join(line + "\n" for line in lines)


def to_tsv(requests):
    """Writes requests with what they ask for: a line `text TAB intent` for each.

    Args:
        requests: Iterable of `TravelRequest`.

    Returns:
        String.
    """
    return "".join(f"{request.text}\t{request.intent}\n" for request in requests)


class _Writer:
    """Writes one sentence: its core, which may belong to another split, and the courtesies."""

    def __init__(self, language: str, split: str, rng: random.Random):
        self.language = language
        self.grammar: ModuleType = _LANGUAGES[language]
        self.split = split
        self.rng = rng
        self.place_rule = "place"
        self.used = set()

    def write(self):
        """Returns a `TravelRequest`, or None if this draw is not one of the split's."""
        intent = self.rng.choice(INTENTS)
        template = expand(self.grammar.RULES, intent, self.rng)
        self.keep_trains_on_land(template)
        core, spans = fill(template.removesuffix("?").rstrip(), self.draw)
        if not self.owns_pattern(core, spans) or not self.in_order(core, spans):
            return None
        text, shift = self.surround(core, template.endswith("?"))
        offsets = token_offsets(text)
        spans = [(start + shift, end + shift, slot) for start, end, slot in spans]
        tokens = tuple(text[start:end] for start, end in offsets)
        return TravelRequest(self.language, text, tokens, bio_tags(offsets, spans), intent)

    def keep_trains_on_land(self, template):
        """Draws the places of a sentence about trains from one region."""
        rules = self.grammar.RULES
        if set(rules["rail_word"]) & set(re.findall(r"\w+", template)):
            self.place_rule = self.rng.choice(rules["rail_region"])

    def draw(self, slot, rule):
        """Returns a value that the split may use and that its sentence does not have yet."""
        kind = KINDS.get(slot, slot)
        rule = self.place_rule if rule == "place" else rule
        while True:
            value = expand(self.grammar.RULES, rule, self.rng)
            fresh = (kind, value) not in self.used
            if fresh and (self.is_common(kind, value) or self.owns_value(value)):
                self.used.add((kind, value))
                return value

    def is_common(self, kind, value):
        """Whether every split may use the value: names are held out, words as `Monday` not."""
        composed = len(token_offsets(value)) > 1
        return kind not in _HELD_OUT_KINDS or (kind in ("date", "time", "price") and not composed)

    def owns_value(self, value):
        """Whether the split may use a value that can be held out."""
        return _share(value.lower(), _VALUE_SHARES) in ("train", self.split)

    def owns_pattern(self, core, spans):
        """Whether the sentence with slot names for values belongs to the split."""
        offsets = token_offsets(core)
        tokens = [core[start:end] for start, end in offsets]
        pattern = delexicalise(tokens, bio_tags(offsets, spans))
        return _share(f"{self.language} {pattern}", _PATTERN_SHARES) == self.split

    def in_order(self, core, spans):
        """Whether no one comes back before leaving, as far as the dates can be compared."""
        dates = {slot: self.grammar.calendar(core[start:end]) for start, end, slot in spans}
        leave, back = dates.get("departure_date"), dates.get("return_date")
        return leave is None or back is None or leave < back

    def surround(self, core, is_question):
        """Returns the core between greeting and thanks, and the core's offset there."""
        rules, choice = self.grammar.RULES, self.rng.choice
        opening = choice(rules["opening"])
        closing = choice(rules["closing_question" if is_question else "closing"])
        opening += " " if opening else ""
        gap = " " if closing and closing[0] not in ".,!?~" else ""
        text = opening + core + gap + closing
        if self.language == "en":
            text = text.lower() if self.rng.random() < _LOWER_CASE else _capitalise(text)
        return text, len(opening)


def _capitalise(text):
    """Starts every sentence of `text` with a capital."""
    starts, at_start = [], True
    for character, following in zip(text, text[1:] + " ", strict=True):
        starts.append(character.upper() if at_start else character)
        at_start = (at_start and character == " ") or (character in ".!?" and following == " ")
    return "".join(starts)


def _share(text, shares):
    """Returns the split that owns `text`, by its hash."""
    point = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
    for split, share in shares:
        if point < share:
            return split
        point -= share
    return shares[-1][0]
