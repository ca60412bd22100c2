import random

from seqnlp.samples.synchronous import Kind, derive, parse_rules, translate

RULES = """
clause =
    <s=subject> <v=verb:@s> not^9 the~8 <o=thing> .^1
        | <s> <v.front:@s> <o:acc>^8
        + nicht^9 <v.end> .^1 *2 / go^1 | geh^1
verb (front end) =
    calls^1 up^2 | ruft^1 | an^2~1
subject : person =
    she | sie f
thing : person =
    man | Mann m / woman | Frau f
either_% [x y] =
    <%> / <verb>
"""


def example_kinds():
    def source(fields, forms):
        return fields[0]

    def target(fields, forms):
        return fields[0] + ("/" + "".join(sorted(forms)) if forms else "")

    return {"person": Kind(source, target, lambda source, target: target[1:])}


def test_a_derivation_gives_both_sides_and_their_links():
    rules = parse_rules(RULES, example_kinds())
    node = None
    rng = random.Random(0)
    while node is None or "geh" in (word for word, _ in node.target("", ())):
        node = derive(rules, "clause", rng)
    source, target, links = translate(node)
    noun = {"man": "Mann", "woman": "Frau"}[source[5]]
    assert source == f"she calls up not the {source[5]} .".split()
    assert target == f"sie ruft {noun}/acc nicht an .".split()
    sure = {(0, 0), (1, 1), (2, 4), (3, 3), (5, 2), (6, 5)}
    assert links == {**dict.fromkeys(sure, True), (1, 4): False, (4, 2): False}


def test_rules_have_weights_features_and_copies():
    rules = parse_rules(RULES, example_kinds())
    assert len(rules["clause"]) == 3
    assert rules["either_x"] == ("x", "verb")
    assert rules["either_y"] == ("y", "verb")
    node = derive({"s": (rules["thing"][1],)}, "s", random.Random(0))
    assert node.features == {"f"}


def test_entries_that_do_not_repeat_end_a_draw():
    rules = parse_rules("s =\n<a=x> <b=x> | <a> <b>\nx : word =\nyes | ja", {"word": words(False)})
    assert derive(rules, "s", random.Random(0)) is None
    rules = parse_rules("s =\n<a=x> <b=x> | <a> <b>\nx : word =\nyes | ja", {"word": words(True)})
    assert translate(derive(rules, "s", random.Random(0)))[1] == ["ja", "ja"]


def words(repeats):
    return Kind(lambda fields, _: fields[0], lambda fields, _: fields[0], repeats=repeats)
