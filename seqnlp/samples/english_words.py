"""Forms of English words for the lexicon entries of `synchronous.py`."""

_BE = {"i": ("am", "was"), "he": ("is", "was"), "we": ("are", "were"), "they": ("are", "were")}


def plain(fields, forms):
    """A word that does not change."""
    return " ".join(fields)


def noun(fields, forms):
    """Of `apple apples`."""
    return fields["plural" in forms]


def determiner(fields, forms):
    """Of `this these`, or `the` for both."""
    return fields[-1] if "plural" in forms else fields[0]


def verb(fields, forms):
    """Of `base third past`, for verbs with a particle `base third past particle`."""
    base, third, past, *particle = fields
    if "past" in forms:
        return "_".join([past, *particle])
    return "_".join([third if "he" in forms and "base" not in forms else base, *particle])


def be(fields, forms):
    """Forms of the verb `be`."""
    if "base" in forms:
        return "be"
    person = next(person for person in _BE if person in forms)
    return _BE[person]["past" in forms]


def finish(words):
    """The words as a sentence: `an` before vowels, and a capital."""
    words = [
        "an" if word == "a" and following[0] in "aeiou" else word
        for word, following in zip(words, [*words[1:], "."], strict=True)
    ]
    return capitalise(words)


def capitalise(words):
    """The words, the first with a capital."""
    return [words[0][0].upper() + words[0][1:], *words[1:]]
