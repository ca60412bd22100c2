"""A small corpus of labelled texts, for the tests of the preparation and of what reads it."""

import random

GOOD, BAD = ["fine", "lovely", "great"], ["poor", "dull", "awful"]
WORDS = ["the", "a", "film", "story", "music", "cast", "of", "and", "with", "in", "this"]


def texts(count, seed=0):
    """Distinct pairs of a text and its label, "good" or "bad" by one of its words."""
    rng, made = random.Random(seed), {}
    while len(made) < count:
        words = rng.choices(WORDS, k=rng.randint(2, 12))
        label = rng.choice(("good", "bad"))
        words.insert(rng.randrange(len(words)), rng.choice(GOOD if label == "good" else BAD))
        made[" ".join(words)] = label
    return list(made.items())


def pairs(count, seed=0):
    """Distinct `(text, text2, number)`: how many words the two share."""
    sides = [text for text, _ in texts(2 * count, seed)]
    rows = zip(sides[:count], sides[count:], strict=True)
    return [(a, b, len(set(a.split()) & set(b.split())) / 2) for a, b in rows]


def write(path, rows):
    """Writes rows, their fields parted by tabs; returns the path."""
    lines = ("\t".join(map(str, row)) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
