"""A synchronous grammar: every rule has two sides, and derives a sentence and its translation.

It is a generalised syntax-directed translation (Lewis & Stearns 1968; Aho & Ullman 1971): a
symbol derives one source string and one or more target strings, its parts, so that a separable
verb can stand at two places. Rules are written as text:

    name =                      begins the rules of a symbol
    name (front end) =          its target has these parts
    name : noun =               its lines are lexicon entries, inflected as the kind `noun`
    name_% [old new] =          written once, read once for each word in the brackets, put for %

Every line below holds a rule `source | target`, one target for each part, and `=> features`
where agreement needs to know more of it; a line that begins with `|` or `+` goes on with the
rule before it. Alternatives may share a line, parted by ` / `; ` *3` counts three times.
`<name>` alone, without a target, stands for the rules of `name`. On a side stand

    word^1~2                    a literal; words of one label on both sides are linked. A link is
                                sure where both sides have ^, else possible
    <n=name:plural.*.@s>        a child, here under the name `n`, in these forms: `plural`, those
                                asked of the rule itself (*), and the features of the child `s`
    <n.end:past>^1              its part `end` (target), with a label for all of its words

The parts of a lexicon entry are parted by spaces, an underscore stands for a space inside one,
and words without a label have the sure label 1.
"""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

_HEADER = re.compile(r"([\w%]+)(?: : (\w+))?(?: \[([\w ]+)\])?(?: \(([\w ]+)\))? =")
_CHILD = re.compile(r"<(?:(\w+)=)?(\w+)(?:\.(\w+))?(?::([\w.@*]+))?>((?:[\^~]\w)*)")
_WORD = re.compile(r"(.+?)((?:[\^~]\w)*)")
_SOLE_PART = ""


class Kind(NamedTuple):
    """How a kind of lexicon entry inflects.

    `source` and `target` are functions of the side's fields and a set of forms to words,
    `features` one of both sides' fields to features. An entry that `repeats` may come twice in a
    sentence.
    """

    source: Callable
    target: Callable
    features: Callable = lambda source, target: ()
    repeats: bool = False


class _Item(NamedTuple):
    """A word, or a child with part and forms; labels are pairs (label, whether sure)."""

    word: str
    child: str
    part: str
    forms: tuple[str, ...]
    labels: tuple[tuple[str, bool], ...]


class _Rule(NamedTuple):
    children: dict[str, str]
    source: tuple[_Item, ...]
    targets: dict[str, tuple[_Item, ...]]
    features: tuple[str, ...]


class _Entry(NamedTuple):
    kind: Kind
    source: tuple[str, ...]
    target: tuple[str, ...]


def parse_rules(text, kinds):
    """Returns dict of symbol to its tuple of alternatives, from the notation above.

    Args:
        text: The rules.
        kinds: Dict of the name of a kind to its `Kind`.
    """
    rules = {}
    for header, lines in _blocks(text):
        name, kind, values, parts = _HEADER.fullmatch(header).groups()
        parts = parts.split() if parts else [_SOLE_PART]
        for value in values.split() if values else [""]:
            alternatives = rules.setdefault(name.replace("%", value), [])
            for line in lines:
                for alternative in line.replace("%", value).split(" / "):
                    phrase, _, weight = alternative.partition(" *")
                    if kind is not None:
                        parsed = _Entry(kinds[kind], *_fields(phrase))
                    else:
                        parsed = _parse_rule(phrase, parts)
                    alternatives += [parsed] * int(weight or 1)
    return {name: tuple(alternatives) for name, alternatives in rules.items()}


def derive(rules, symbol, rng):
    """Draws a derivation of `symbol`.

    Args:
        rules: What `parse_rules` returned.
        symbol: The symbol to start from.
        rng: A `random.Random`.

    Returns:
        A node with `source(forms)` and `target(part, forms)`; or None if the draw would have
        used an entry twice that does not repeat.
    """
    return _derive(rules, symbol, rng, set())


def translate(node):
    """Reads a derivation as a sentence pair.

    Args:
        node: What `derive` returned.

    Returns:
        Source words, target words, and dict of links (source index, target index) to whether
        the link is sure.
    """
    source, target = node.source(()), node.target(_SOLE_PART, ())
    links = {}
    for i, (_, left) in enumerate(source):
        for j, (_, right) in enumerate(target):
            for label in left.keys() & right.keys():
                links[i, j] = links.get((i, j), False) or (left[label] and right[label])
    return [word for word, _ in source], [word for word, _ in target], links


class _Branch:
    """A rule and the nodes of its children."""

    def __init__(self, rule, children):
        self.rule = rule
        self.children = children
        self.features = self.resolve(rule.features, ())

    def source(self, forms):
        return self.words(self.rule.source, forms, lambda child, part, forms: child.source(forms))

    def target(self, part, forms):
        return self.words(
            self.rule.targets[part], forms, lambda child, part, forms: child.target(part, forms)
        )

    def words(self, items, forms, side):
        """List of (word, dict of label to whether sure); a label is a path of names."""
        words = []
        for word, name, part, asked, labels in items:
            own = {(label,): sure for label, sure in labels}
            if not name:
                words.append((word, own))
                continue
            for inner, links in side(self.children[name], part, self.resolve(asked, forms)):
                below = {(name, *label): sure for label, sure in links.items()}
                words.append((inner, {**below, **own}))
        return words

    def resolve(self, forms, inherited):
        resolved = set()
        for form in forms:
            if form == "*":
                resolved.update(inherited)
            elif form.startswith("@"):
                resolved.update(self.children[form[1:]].features)
            else:
                resolved.add(form)
        return frozenset(resolved)


class _Leaf:
    """A lexicon entry."""

    def __init__(self, entry):
        self.entry = entry
        self.features = frozenset(entry.kind.features(entry.source, entry.target))

    def source(self, forms):
        return _labelled(self.entry.kind.source(self.entry.source, forms))

    def target(self, part, forms):
        return _labelled(self.entry.kind.target(self.entry.target, forms))


def _derive(rules, symbol, rng, used):
    drawn = rng.choice(rules[symbol])
    if isinstance(drawn, str):
        return _derive(rules, drawn, rng, used)
    if isinstance(drawn, _Entry):
        if not drawn.kind.repeats:
            if drawn.source in used:
                return None
            used.add(drawn.source)
        return _Leaf(drawn)
    children = {}
    for name, child in drawn.children.items():
        children[name] = _derive(rules, child, rng, used)
        if children[name] is None:
            return None
    return _Branch(drawn, children)


def _blocks(text):
    """Yields (header, list of lines), lines put together that go on."""
    header, lines = "", []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.endswith(" ="):
            if header:
                yield header, lines
            header, lines = line, []
        elif line[0] in "|+":
            lines[-1] += f" {line.removeprefix('+ ')}"
        else:
            lines.append(line)
    yield header, lines


def _fields(phrase):
    return (tuple(side.split()) for side in phrase.split(" | "))


def _parse_rule(phrase, parts):
    """A `_Rule`, or the name of the symbol that the phrase stands for."""
    phrase, _, features = phrase.partition(" => ")
    source, *targets = phrase.split(" | ")
    if not targets:
        return source.strip("<>")
    children = {}
    source = tuple(_parse_item(token, children) for token in source.split())
    targets = [
        tuple(_parse_item(token, None) for token in target.split() if token != "()")
        for target in targets
    ]
    return _Rule(children, source, dict(zip(parts, targets, strict=True)), tuple(features.split()))


def _parse_item(token, children):
    match = _CHILD.fullmatch(token)
    if match is None:
        word, labels = _WORD.fullmatch(token).groups()
        return _Item(word, "", "", (), _parse_labels(labels))
    name, symbol, part, forms, labels = match.groups()
    name = name or symbol
    if children is not None:
        children[name] = symbol
    forms = tuple(forms.split(".")) if forms else ()
    return _Item("", name, part or _SOLE_PART, forms, _parse_labels(labels))


def _parse_labels(text):
    return tuple((label, mark == "^") for mark, label in zip(text[::2], text[1::2], strict=True))


@functools.cache
def _labelled(text):
    words = []
    for token in text.replace("_", " ").split():
        word, labels = _WORD.fullmatch(token).groups()
        words.append((word, {(label,): sure for label, sure in _parse_labels(labels or "^1")}))
    return words
