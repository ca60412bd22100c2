import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from seqeval.metrics import f1_score

from seqnlp.samples import TravelRequest, to_conll, travel
from seqnlp.samples.grammar import (
    agree,
    bio_tags,
    delexicalise,
    expand,
    fill,
    parse_rules,
    token_offsets,
)
from seqnlp.tag_schemes import first_illegal

SPLITS = ("train", "eval", "test")


class FirstChoice:
    """A random number generator that always draws the first and keeps everything."""

    def choice(self, sequence):
        return sequence[0]

    def random(self):
        return 0.0

    def shuffle(self, parts):
        parts.reverse()


@pytest.fixture(scope="module")
def corpus():
    return {split: travel(split) for split in SPLITS}


def pattern(request):
    """The sentence with a slot name for every span, from tokens and tags alone."""
    words = []
    for token, tag in zip(request.tokens, request.tags, strict=True):
        if tag == "O":
            words.append(token.lower())
        elif tag.startswith("B-"):
            words.append(tag.removeprefix("B-").upper())
    return " ".join(words)


def slot_values(requests):
    """The set of (slot, lower-cased value) of the requests."""
    values = []
    for request in requests:
        for token, tag in zip(request.tokens, request.tags, strict=True):
            if tag.startswith("B-"):
                values.append([tag[2:], token.lower()])
            elif tag.startswith("I-"):
                values[-1].append(token.lower())
    return {(slot, " ".join(words)) for slot, *words in values}


def most_frequent_tags(requests):
    """Per-token counts of tags, and the slot tag that tokens seen once have most."""
    counts = defaultdict(Counter)
    for request in requests:
        for token, tag in zip(request.tokens, request.tags, strict=True):
            counts[token.lower()][tag] += 1
    singletons = [next(iter(tags)) for tags in counts.values() if tags.total() == 1]
    slot_tag = Counter(tag for tag in singletons if tag != "O").most_common(1)[0][0]
    return {token: tags.most_common(1)[0][0] for token, tags in counts.items()}, slot_tag


def per_token_f1(requests, best, unknown):
    gold = [list(request.tags) for request in requests]
    predicted = [
        [best.get(token.lower(), unknown) for token in request.tokens] for request in requests
    ]
    return f1_score(gold, predicted)


@pytest.mark.parametrize(("split", "size"), [("train", 6000), ("eval", 1000), ("test", 1200)])
def test_split_has_its_size_in_distinct_sentences(corpus, split, size):
    assert len({request.text for request in corpus[split]}) == size == len(corpus[split])


@pytest.mark.parametrize("split", SPLITS)
def test_half_of_the_sentences_are_english_and_half_korean(corpus, split):
    counts = Counter(request.language for request in corpus[split])
    assert counts == {"en": len(corpus[split]) // 2, "ko": len(corpus[split]) // 2}


def test_same_seed_gives_the_same_sentences_in_another_process():
    code = (
        "import hashlib; from seqnlp.samples import to_conll, travel; "
        "print(hashlib.sha256(to_conll(travel('eval', seed=7)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_other_sentences(corpus):
    assert travel("eval", seed=1) != corpus["eval"]


def test_only_standard_modules_are_imported():
    code = (
        "import sys; import seqnlp.samples; "
        "print({'numpy', 'keras', 'tensorflow', 'apache_beam'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "set()"


def test_unknown_split_is_an_error():
    with pytest.raises(ValueError, match=r"`split` must be one of .* Received: split='dev'"):
        travel("dev")


@pytest.mark.parametrize("seed", [0, 3])
def test_no_test_pattern_occurs_in_train_or_eval(corpus, seed):
    test = {pattern(request) for request in travel("test", seed)}
    seen = {pattern(request) for split in ("train", "eval") for request in corpus[split]}
    assert not test & seen


def test_no_eval_pattern_occurs_in_train(corpus):
    train, evaluation = ({pattern(r) for r in corpus[split]} for split in ("train", "eval"))
    assert not train & evaluation


def test_at_least_30_percent_of_the_test_values_are_unseen_in_train(corpus):
    train, test = slot_values(corpus["train"]), slot_values(corpus["test"])
    assert len(test - train) >= 0.3 * len(test)


def test_at_least_30_percent_of_the_test_values_are_unseen_under_any_slot(corpus):
    train = {value for _, value in slot_values(corpus["train"])}
    test = {value for _, value in slot_values(corpus["test"])}
    assert len(test - train) >= 0.3 * len(test)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_per_token_classifier_stays_below_80_percent(corpus, language):
    best, _ = most_frequent_tags(corpus["train"])
    requests = [request for request in corpus["test"] if request.language == language]
    assert per_token_f1(requests, best, unknown="O") < 0.8


@pytest.mark.parametrize("language", ["en", "ko"])
def test_per_token_classifier_that_guesses_slots_stays_below_80_percent(corpus, language):
    best, slot_tag = most_frequent_tags(corpus["train"])
    requests = [request for request in corpus["test"] if request.language == language]
    assert per_token_f1(requests, best, unknown=slot_tag) < 0.8


def test_tokens_join_to_the_text_without_its_spaces(corpus):
    for request in corpus["train"]:
        assert "".join(request.tokens) == "".join(request.text.split())


def test_tags_are_legal_bio_one_a_token(corpus):
    for request in corpus["train"]:
        assert len(request.tags) == len(request.tokens)
        assert first_illegal(list(request.tags), "bio") is None


def test_train_shows_every_tag_and_intent_of_test(corpus):
    tags, intents = (
        {split: {x for r in corpus[split] for x in get(r)} for split in SPLITS}
        for get in (lambda r: r.tags, lambda r: (r.intent,))
    )
    assert tags["test"] <= tags["train"]
    assert len(intents["test"]) == len(intents["train"]) == 7


def test_one_token_has_many_slots(corpus):
    slots = defaultdict(set)
    for request in corpus["train"]:
        for token, tag in zip(request.tokens, request.tags, strict=True):
            slots[token.lower()].add(tag[2:])
    assert {"origin", "destination", "city", "person", "hotel"} <= slots["paris"]
    assert {"departure_date", "return_date", "checkin_date"} <= slots["friday"]
    assert {"passengers", "nights", "time"} <= slots["two"]
    assert {"origin", "destination", "city"} <= slots["부산"]
    assert {"passengers", "time"} <= slots["두"]


def test_no_rule_is_left_in_a_sentence(corpus):
    for split in SPLITS:
        for request in corpus[split]:
            assert not set("<>[]{}()*") & set(request.text)
            assert "  " not in request.text


def test_to_conll_writes_columns_and_comments():
    request = TravelRequest("en", "To Rome!", ("To", "Rome", "!"), ("O", "B-to", "O"), "book")
    expected = "# intent = book\n# text = To Rome!\nTo\tO\nRome\tB-to\n!\tO\n\n"
    assert to_conll([request, request]) == expected * 2


def test_parse_rules_reads_weights_and_the_empty_alternative():
    rules = parse_rules("a =\n    x y *2 / ()\n    z\nb =\n    <a>")
    assert rules == {"a": ("x y", "x y", "", "z"), "b": ("<a>",)}


def test_expand_orders_parts_and_keeps_slots():
    rules = {"s": ("go [a b? c?]",), "a": ("to {x}",), "b": ("now",), "c": ("",)}
    assert expand(rules, "s", FirstChoice()) == "go now to {x}"


def test_fill_gives_the_offsets_of_values():
    text, spans = fill(
        "{city}은(는) {date:day}", lambda slot, rule: {"day": "내일"}.get(rule, "부산")
    )
    assert text == "부산은 내일"
    assert spans == [(0, 2, "city"), (4, 6, "date")]


@pytest.mark.parametrize(
    ("value", "particle", "form"),
    [
        ("부산", "(으)로", "으로"),
        ("제주", "(으)로", "로"),
        ("서울", "(으)로", "로"),
        ("서울", "은(는)", "은"),
        ("제주", "을(를)", "를"),
        ("대전", "이(가)", "이"),
        ("한빛항공", "(이)면", "이면"),
    ],
)
def test_particle_agrees_with_the_last_syllable(value, particle, form):
    assert agree(value, particle) == form


def test_tokens_are_words_with_marks_and_single_symbols():
    text = "I'd 7:30 e\u0301a_1 \U0001f64f\uac00"
    tokens = [text[start:end] for start, end in token_offsets(text)]
    assert tokens == ["I", "'", "d", "7", ":", "30", "e\u0301a_1", "\U0001f64f", "\uac00"]


def test_neighbouring_spans_begin_anew():
    spans = [(0, 3, "x"), (4, 5, "x")]
    assert bio_tags([(0, 1), (2, 3), (4, 7), (8, 9)], spans) == ("B-x", "I-x", "B-x", "O")


def test_delexicalise_replaces_spans():
    assert delexicalise(["To", "New", "York"], ["O", "B-city", "I-city"]) == "to {city}"
