"""Generated passages about travellers, and questions whose answers are known."""

import hashlib
import itertools
import json
import pathlib
import random
from typing import NamedTuple

from seqnlp.samples.english import RULES
from seqnlp.samples.grammar import expand

QUESTION_SIZES = {"train": 2400, "eval": 120, "test": 150}  # passages

_SHARES = (("train", 0.8), ("eval", 0.1), ("test", 0.1))
_TRAVELLERS = (2, 2, 3)
_ASKED = 4  # questions of a passage
_PLACES = ("european_place", "american_place", "asian_place", "far_place")
_SENTENCES = (
    "{person} flies from {origin} to {destination} on {day} and stays at the {hotel}.",
    "On {day} {person} flies to {destination} from {origin}, to stay at the {hotel}.",
    "From {origin} {person} flies to {destination} on {day}. The room is at the {hotel}.",
)
_QUESTIONS = (
    ("destination", "Where does {person} fly to?"),
    ("destination", "What city does {person} go to?"),
    ("origin", "Where does {person} fly from?"),
    ("origin", "What city does {person} leave?"),
    ("day", "When does {person} fly?"),
    ("day", "On which day does {person} leave?"),
    ("hotel", "Where does {person} stay?"),
    ("hotel", "Which hotel does {person} stay at?"),
    ("person", "Who flies to {destination}?"),
    ("person", "Who flies from {origin}?"),
)


class PassageQuestion(NamedTuple):
    """A question, and its answer with the character of the passage that it begins with.

    `answer` and `start` are None where the passage does not say.
    """

    question: str
    answer: str | None
    start: int | None


class Passage(NamedTuple):
    """A text of some sentences, and a tuple of `PassageQuestion`."""

    context: str
    questions: tuple


def passages(split="train", seed=0, unanswerable=0.0):
    """Generates one split of the passages.

    A passage is about two or three travellers, each with two cities, a day and a hotel of their
    own, so that an answer can be told from what it is asked of alone. No passage is in two
    splits, whatever the seeds.

    Args:
        split: `"train"` (2400 passages of 4 questions), `"eval"` (120) or `"test"` (150).
        seed: Integer; the same seed gives the same passages in every process.
        unanswerable: Share of the questions that are about someone else.

    Returns:
        List of `Passage`.

    Raises:
        ValueError: If `split` is no name of a split, or `unanswerable` no share.
    """
    if split not in QUESTION_SIZES:
        raise ValueError(
            f"`split` must be one of {', '.join(QUESTION_SIZES)}. Received: split={split!r}"
        )
    if not 0 <= unanswerable <= 1:
        raise ValueError(
            f"`unanswerable` must be a share from 0 to 1. Received: unanswerable={unanswerable}"
        )
    return list(itertools.islice(_passages(split, seed, unanswerable), QUESTION_SIZES[split]))


def write_questions(folder, seed=0, limit=None, unanswerable=0.0):
    """Writes all splits in the form of SQuAD.

    Args:
        folder: Folder to write to; made if missing.
        seed: As of `passages`.
        limit: Largest number of passages of a split; by default all.
        unanswerable: As of `passages`.

    Returns:
        Dict from split to the path of its file.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split in QUESTION_SIZES:
        found = passages(split, seed, unanswerable)[:limit]
        paragraphs = [_paragraph(f"{split}-{at}", passage) for at, passage in enumerate(found)]
        document = {"version": "sample", "data": [{"title": split, "paragraphs": paragraphs}]}
        written[split] = folder / f"{split}.json"
        written[split].write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return written


def _paragraph(name, passage):
    asked = []
    for at, (question, answer, start) in enumerate(passage.questions):
        answers = [] if answer is None else [{"text": answer, "answer_start": start}]
        entry = {"id": f"{name}-{at}", "question": question, "answers": answers}
        asked.append(entry if answers else {**entry, "is_impossible": True})
    return {"context": passage.context, "qas": asked}


def _passages(split, seed, unanswerable):
    """Yields the different passages of a split, without end."""
    rng = random.Random(f"passages {split} {seed}")
    seen = set()
    while True:
        *travellers, absent = _travellers(rng, rng.choice(_TRAVELLERS) + 1)
        context, places = _write(travellers, rng)
        if _owner(context) != split or context in seen:
            continue
        seen.add(context)
        asked = [(at, *question) for at in range(len(travellers)) for question in _QUESTIONS]
        yield Passage(
            context,
            tuple(
                PassageQuestion(question.format(**absent), None, None)
                if rng.random() < unanswerable
                else _question(question, field, travellers[at], places[at])
                for at, field, question in rng.sample(asked, _ASKED)
            ),
        )


def _question(question, field, traveller, places):
    return PassageQuestion(question.format(**traveller), traveller[field], places[field])


def _travellers(rng, number):
    """Travellers who have nothing in common, dicts of what is said of them."""
    drawn = {"place": set(), "person": set(), "day": set(), "hotel": set()}

    def draw(kind, rule):
        while True:
            value = expand(RULES, rule, rng)
            # No value stands in another one, so that each has one place in a passage.
            if not any(
                value in other or other in value for values in drawn.values() for other in values
            ):
                drawn[kind].add(value)
                return value

    return [
        {
            "person": draw("person", "first_name"),
            "origin": draw("place", rng.choice(_PLACES)),
            "destination": draw("place", rng.choice(_PLACES)),
            "day": draw("day", "weekday"),
            "hotel": draw("hotel", "hotel"),
        }
        for _ in range(number)
    ]


def _write(travellers, rng):
    """The passage about travellers, and for each where what is said of them begins."""
    context, places = "", []
    for traveller in travellers:
        context += " " if context else ""
        sentence = rng.choice(_SENTENCES).format(**traveller)
        places.append({name: len(context) + sentence.index(x) for name, x in traveller.items()})
        context += sentence
    return context, places


def _owner(context):
    """The split that owns a passage, by its hash."""
    point = int.from_bytes(hashlib.sha256(context.encode()).digest()[:8]) / 2**64
    for split, share in _SHARES:
        if point < share:
            return split
        point -= share
    return _SHARES[-1][0]
