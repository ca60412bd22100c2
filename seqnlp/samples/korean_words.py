"""Forms of Korean words for the lexicon entries of `synchronous.py`, in the polite 해요 style.

Verbs and adjectives are given by their stem, their 어-form, and, if they are irregular, the
stem before a vowel: 읽 읽어, 듣 들어 들으, 돕 도와 도우.
"""

from seqnlp.samples import english_words
from seqnlp.samples.grammar import agree
from seqnlp.samples.synchronous import Kind

_PARTICLES = {
    "topic": "은(는)",
    "subject": "이(가)",
    "object": "을(를)",
    "with": "과(와)",
    "means": "(으)로",
    "copula": "이에요(예요)",
}
_FIXED = {"recipient": "에게", "at": "에서", "to": "에", "than": "보다"}
_FIRST_PERSON = {"topic": "저는", "subject": "제가"}
_NIEUN, _RIEUL, _SSANGSIOT = 4, 8, 20  # final consonants, counted from none


def noun(fields, forms):
    """Of `noun`, or `noun counter`, with a particle."""
    if "counter" in forms:
        return particle(fields[-1], forms) + "~1"
    return particle(fields[0], forms)


def person(fields, forms):
    """Of `noun counter`; several take 들."""
    if "counter" in forms:
        return noun(fields, forms)
    return particle(fields[0] + "들" * ("plural" in forms), forms)


def particle(word, forms):
    """The word with the particle that is among the forms, if one is."""
    if word == "저":
        return next(form for name, form in _FIRST_PERSON.items() if name in forms)
    for name, ending in _FIXED.items():
        if name in forms:
            return word + ending
    for name, ending in _PARTICLES.items():
        if name in forms:
            return word + agree(word, ending)
    return word


def verb(fields, forms, adjective=False):
    """Of `stem 어-form` and the stem before a vowel; label 2 is the English particle's."""
    stem, infinitive, *irregular = fields
    final = _final(stem)
    short = _with_final(stem, 0) if final == _RIEUL else stem
    before_vowel = irregular[0] if irregular else short + "으" * (final not in (0, _RIEUL))
    present = f"{stem}는" if final not in (0, _RIEUL) else _with_final(short, _NIEUN)
    words = {
        "present": f"{infinitive}요",
        "past": f"{_with_final(infinitive, _SSANGSIOT)}어요",
        "because": f"{infinitive}서",
        "must": f"{infinitive}야",
        "negative": f"{stem}지",
        "want": f"{stem}고",
        "future": _with_final(before_vowel, _RIEUL),
        "if": (stem if final == _RIEUL else before_vowel) + "면",
        "that": (stem if adjective else present) + "다고",
        "who": f"{short}는",
        "who_did": _with_final(before_vowel, _NIEUN),
    }
    return words[next(name for name in words if name in forms)] + "^1~2"


def adjective(fields, forms):
    """Forms of a predicate: as a verb's, but for what is said of it."""
    return verb(fields, forms, adjective=True)


def want(fields, forms):
    """`싶어요` of oneself, `싶어 해요` of others."""
    return "싶어요" if {"i", "we"} & set(forms) else "싶어_해요~1"


def _final(word):
    return (ord(word[-1]) - ord("가")) % 28


def _with_final(word, final):
    """The word with another final consonant in its last syllable."""
    return word[:-1] + chr(ord(word[-1]) - _final(word) + final)


def _first(fields, forms):
    return fields[0]


KINDS = {
    "plain": Kind(english_words.plain, english_words.plain),
    "free": Kind(english_words.plain, english_words.plain, repeats=True),
    "noun": Kind(english_words.noun, noun),
    "mass": Kind(english_words.plain, noun),
    "person": Kind(english_words.noun, person),
    "name": Kind(english_words.plain, noun, lambda source, target: ("he", "topic")),
    "speaker": Kind(english_words.plain, noun, lambda source, target: (target[1], "topic")),
    "verb": Kind(english_words.verb, verb),
    "adjective": Kind(english_words.plain, adjective),
    "want": Kind(english_words.verb, want),
    "be": Kind(english_words.be, _first, repeats=True),
    "do": Kind(english_words.verb, _first),
}
