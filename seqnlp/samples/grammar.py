"""A small generative grammar: rules of alternatives, slots, and particles that agree.

Rules are written as text: `name =` begins a rule, and every line below it holds alternatives
parted by ` / `. An alternative that ends in ` *3` counts three times, and `()` is the empty one.
Inside an alternative

    <rule>         is replaced by an alternative of `rule`
    [a b? c?]      by `<a>`, `<b>` and `<c>` in any order; those with `?` may be missing
    {slot}         by a value of the slot, drawn from the rule of the slot's kind
    {slot:rule}    by a value drawn from `rule`
    {slot}은(는)    the particle takes the form that the last syllable of the value asks for
"""

import re
import unicodedata

KINDS = {
    "origin": "place",
    "destination": "place",
    "city": "place",
    "departure_date": "date",
    "return_date": "date",
    "checkin_date": "date",
}

_PARTICLES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "(이)면": ("이면", "면"),
    "(으)로": ("으로", "로"),
    "과(와)": ("과", "와"),
    "이에요(예요)": ("이에요", "예요"),
}
_EMBEDDED = re.compile(r"<(\w+)>|\[([\w? ]+)\]")
_SLOT = re.compile(
    r"\{(\w+)(?::(\w+))?\}(" + "|".join(re.escape(particle) for particle in _PARTICLES) + ")?"
)
_WEIGHTED = re.compile(r"(.+?)(?: \*(\d+))?")
_KEEP_OPTIONAL = 0.45
_RIEUL = 8  # the index of the final consonant ㄹ among the 28 finals of a syllable


def parse_rules(text):
    """Returns dict of rule name to its tuple of alternatives, from the notation above."""
    rules = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.endswith(" ="):
            alternatives = rules[line.removesuffix(" =")] = []
            continue
        for alternative in line.split(" / "):
            phrase, weight = _WEIGHTED.fullmatch(alternative).groups()
            alternatives += [phrase.replace("()", "")] * int(weight or 1)
    return {name: tuple(alternatives) for name, alternatives in rules.items()}


def expand(rules, symbol, rng):
    """Returns a random string of `symbol` that has only slots left to fill.

    Args:
        rules: Dict of rule name to a sequence of alternatives.
        symbol: The rule to start from.
        rng: A `random.Random`.
    """

    def replace(match):
        if match[1]:
            return expand(rules, match[1], rng)
        parts = [part for part in match[2].split() if _kept(part, rng)]
        rng.shuffle(parts)
        return " ".join(expand(rules, part.rstrip("?"), rng) for part in parts)

    expanded = _EMBEDDED.sub(replace, rng.choice(rules[symbol]))
    return re.sub(" +", " ", expanded).strip(" ")


def fill(template, draw):
    """Fills the slots of a template.

    Args:
        template: A string with slots, as `expand` returns it.
        draw: Function of (slot, rule) to a value.

    Returns:
        The text, and a list of (start, end, slot) with character offsets of the values.
    """
    pieces, spans, length, end = [], [], 0, 0
    for match in _SLOT.finditer(template):
        slot, rule, particle = match.groups()
        value = draw(slot, rule or KINDS.get(slot, slot))
        literal = template[end : match.start()]
        start = length + len(literal)
        spans.append((start, start + len(value), slot))
        pieces += [literal, value, agree(value, particle) if particle else ""]
        length = start + len(value) + len(pieces[-1])
        end = match.end()
    return "".join([*pieces, template[end:]]), spans


def agree(value, particle):
    """Returns the form of a Korean particle that fits after `value`.

    Args:
        value: String that ends in a Hangul syllable.
        particle: One of `은(는)`, `이(가)`, `을(를)`, `(이)면`, `(으)로`, `과(와)`,
            `이에요(예요)`.
    """
    final = (ord(value[-1]) - ord("가")) % 28
    after_consonant, after_vowel = _PARTICLES[particle]
    if final == 0 or (particle == "(으)로" and final == _RIEUL):
        return after_vowel
    return after_consonant


def token_offsets(text):
    """Returns (start, end) of every token: a run of letters, marks and digits, or a symbol."""
    offsets, inside = [], False
    for index, character in enumerate(text):
        word = character == "_" or unicodedata.category(character)[0] in "LMN"
        if word and inside:
            offsets[-1] = (offsets[-1][0], index + 1)
        elif not character.isspace():
            offsets.append((index, index + 1))
        inside = word
    return offsets


def bio_tags(offsets, spans):
    """Returns a BIO tag for every token; one that overlaps a span belongs to it as a whole."""
    tags, previous = [], None
    for start, end in offsets:
        span = next((span for span in spans if span[0] < end and start < span[1]), None)
        tags.append("O" if span is None else f"{'I' if span is previous else 'B'}-{span[2]}")
        previous = span
    return tuple(tags)


def delexicalise(tokens, tags):
    """Returns the sentence with every tagged span replaced by its slot name, in lower case."""
    words = []
    for token, tag in zip(tokens, tags, strict=True):
        if tag == "O":
            words.append(token.lower())
        elif tag.startswith("B-"):
            words.append("{" + tag[2:] + "}")
    return " ".join(words)


def _kept(part, rng):
    return not part.endswith("?") or rng.random() < _KEEP_OPTIONAL
