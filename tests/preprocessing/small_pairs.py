"""A small parallel corpus, for the tests of the preparation: English and German."""

import random

NOUNS = {"dog": "Hund", "cat": "Kater", "horse": "Gaul", "mouse": "Igel", "bird": "Vogel"}
VERBS = {"sees": "sieht", "hears": "hört", "likes": "mag", "bites": "beißt"}
ADJECTIVES = {"small": "kleine", "big": "große", "old": "alte", "young": "junge"}


def pairs(count, seed=0):
    """Distinct pairs of sentences of 5 to about 20 words."""
    rng = random.Random(seed)

    def phrase():
        noun, chosen = rng.choice(list(NOUNS)), rng.sample(list(ADJECTIVES), rng.randrange(4))
        source = ["the", *chosen, noun]
        return source, ["der", *map(ADJECTIVES.get, chosen), NOUNS[noun]]

    made = {}
    while len(made) < count:
        (subject, nominative), verb = phrase(), rng.choice(list(VERBS))
        source, target = [*subject, verb], [*nominative, VERBS[verb]]
        for _ in range(rng.randint(1, 3)):
            other, accusative = phrase()
            source, target = [*source, *other], [*target, *accusative]
        made[" ".join(source) + " ."] = " ".join(target) + " ."
    return list(made.items())


def write(folder, name, given):
    """Writes two files, a line a sentence; returns their paths."""
    paths = [folder / f"{name}.en", folder / f"{name}.de"]
    for side, path in enumerate(paths):
        path.write_text("".join(f"{pair[side]}\n" for pair in given), encoding="utf-8")
    return tuple(map(str, paths))
