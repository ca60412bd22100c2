"""Forms of German words for the lexicon entries of `synchronous.py`.

Cases are `nom`, `acc` and `dat`; genders `m`, `f` and `n`, to which `plural` is the fourth.
"""

from seqnlp.samples import english_words
from seqnlp.samples.synchronous import Kind

_COLUMNS = ("m", "f", "n", "plural")
# Endings in the order of the columns.
_DEFINITE = {
    "nom": ("der", "die", "das", "die"),
    "acc": ("den", "die", "das", "die"),
    "dat": ("dem", "der", "dem", "den"),
}
_DEMONSTRATIVE = {
    "nom": ("er", "e", "es", "e"),
    "acc": ("en", "e", "es", "e"),
    "dat": ("em", "er", "em", "en"),
}
_POSSESSIVE = {
    "nom": ("", "e", "", "e"),
    "acc": ("en", "e", "", "e"),
    "dat": ("em", "er", "em", "en"),
}
_ADJECTIVE = {
    "weak": {"nom": ("e", "e", "e", "en"), "acc": ("en", "e", "e", "en"), "dat": ("en",) * 4},
    "mixed": {"nom": ("er", "e", "es", "en"), "acc": ("en", "e", "es", "en"), "dat": ("en",) * 4},
    "strong": {
        "nom": ("er", "e", "es", "e"),
        "acc": ("en", "e", "es", "e"),
        "dat": ("em", "er", "em", "en"),
    },
}
_SEIN = {"i": ("bin", "war"), "he": ("ist", "war"), "we": ("sind", "waren")}
_HABEN = {"i": "habe", "he": "hat"}


def noun(fields, forms):
    """Of `singular plural gender`, and `weak` for nouns as Junge, den Jungen."""
    singular, plural, *rest = fields
    if "plural" in forms:
        return plural + "n" * ("dat" in forms and plural[-1] not in "ns")
    oblique = "weak" in rest and _case(forms) != "nom"
    return singular + ("n" if singular.endswith("e") else "en") * oblique


def determiner(fields, forms):
    """Of `d`, `dies`, or the stem of a word that inflects as `ein`."""
    stem, column = fields[0], _column(forms)
    if stem == "d":
        return _DEFINITE[_case(forms)][column]
    table = _DEMONSTRATIVE if stem == "dies" else _POSSESSIVE
    return stem + table[_case(forms)][column]


def adjective(fields, forms):
    """Of `stem`, or `stem predicative` where they differ (teur, teuer)."""
    declension = next((name for name in _ADJECTIVE if name in forms), None)
    if declension is None:
        return fields[-1]
    return fields[0] + _ADJECTIVE[declension][_case(forms)][_column(forms)]


def verb(fields, forms):
    """Of `infinitive third participle`, and `sein` where that is the auxiliary.

    A separable prefix is parted by a hyphen: `an-rufen ruft angerufen`. Label 1 is that of the
    English verb, label 2 of its particle, if it has one.
    """
    infinitive, third, participle, *auxiliary = fields
    prefix, _, stem = infinitive.rpartition("-")
    finite = stem if {"we", "they"} & set(forms) else third
    if "i" in forms:
        finite = stem.removesuffix("n")
    both = "^1~2"
    words = {
        "finite": finite + ("^1" if prefix else both),
        "particle": prefix and f"{prefix}^2~1",
        "joined": prefix + finite + both,
        "perfect": (_sein if auxiliary else _haben)(forms) + "~1",
        "participle": participle + both,
        "infinitive": prefix + stem + both,
        "zu": f"{prefix}zu{stem}{both}" if prefix else f"zu~1_{stem}{both}",
    }
    return words[next(name for name in words if name in forms)]


def modal(fields, forms):
    """Of `infinitive third`, and the form of the first person where it differs."""
    if {"we", "they"} & set(forms):
        return fields[0]
    return fields[-1] if "i" in forms else fields[1]


def sein(fields, forms):
    """Forms of the verb `sein`."""
    return "sein" if "base" in forms else _sein(forms)


def pronoun(fields, forms):
    """Of the forms for m, f and n."""
    return fields[_column(forms)]


def _sein(forms):
    person = next((person for person in ("i", "he") if person in forms), "we")
    return _SEIN[person]["past" in forms]


def _haben(forms):
    return next((form for person, form in _HABEN.items() if person in forms), "haben")


def _case(forms):
    return next(case for case in ("nom", "acc", "dat") if case in forms)


def _column(forms):
    return 3 if "plural" in forms else next(i for i, name in enumerate(_COLUMNS) if name in forms)


def _first(fields, forms):
    return fields[0]


KINDS = {
    "plain": Kind(english_words.plain, english_words.plain),
    "free": Kind(english_words.plain, english_words.plain, repeats=True),
    "noun": Kind(english_words.noun, noun, lambda source, target: target[2:3]),
    "name": Kind(english_words.plain, _first, lambda source, target: (target[1], "he")),
    "determiner": Kind(
        english_words.determiner,
        determiner,
        lambda source, target: ("weak" if target[0].startswith("d") else "mixed",),
        repeats=True,
    ),
    "adjective": Kind(english_words.plain, adjective),
    "verb": Kind(english_words.verb, verb),
    "modal": Kind(english_words.verb, modal),
    "be": Kind(english_words.be, sein, repeats=True),
    "do": Kind(english_words.verb, _first),
    "speaker": Kind(english_words.plain, _first, lambda source, target: target[1:]),
    "pronoun": Kind(english_words.plain, pronoun),
}
