import itertools
import random
import subprocess
import sys
import unicodedata
from collections import defaultdict

import pytest

from seqnlp.metrics import alignment_error_rate, parse_links
from seqnlp.samples import SentencePair, german_words, korean_words, parallel, to_links
from seqnlp.samples import write_parallel as write
from seqnlp.samples.english_german import RULES as GERMAN
from seqnlp.samples.english_korean import RULES as KOREAN
from seqnlp.samples.english_words import finish
from seqnlp.samples.sentence_pairs import PARALLEL_SIZES
from seqnlp.samples.synchronous import derive, translate

PAIRS = ("en-de", "en-ko")

# Written from a dictionary, not from the lexicon: nouns whose plural looks different.
NOUNS = {
    "m": "Mann König Vater Bruder Apfel Brief Hut Mantel Ball Stuhl Tisch Roman Rock",
    "f": "Frau Mutter Schwester Tante Tasche Lampe Zeitung Jacke Uhr Blume Kerze Birne",
    "n": "Kind Buch Bild Fahrrad Kleid Hemd Gedicht Radio Boot Ei",
}
GENDERS = {noun: gender for gender, nouns in NOUNS.items() for noun in nouns.split()}
# Article and gender to the ending of the adjective between article and noun.
ENDINGS = {
    ("der", "m"): "e",
    ("den", "m"): "en",
    ("dem", "m"): "en",
    ("ein", "m"): "er",
    ("einen", "m"): "en",
    ("mein", "m"): "er",
    ("meinen", "m"): "en",
    ("meinem", "m"): "en",
    ("keinen", "m"): "en",
    ("dieser", "m"): "e",
    ("diesen", "m"): "en",
    ("diesem", "m"): "en",
    ("die", "f"): "e",
    ("der", "f"): "en",
    ("eine", "f"): "e",
    ("meine", "f"): "e",
    ("meiner", "f"): "en",
    ("keine", "f"): "e",
    ("diese", "f"): "e",
    ("dieser", "f"): "en",
    ("das", "n"): "e",
    ("dem", "n"): "en",
    ("ein", "n"): "es",
    ("mein", "n"): "es",
    ("kein", "n"): "es",
    ("dieses", "n"): "e",
    ("diesem", "n"): "en",
}
ARTICLES = {article for article, _ in ENDINGS}
AFTER_CONSONANT = ("은", "이", "을", "과", "으로", "이에요")
AFTER_VOWEL = ("는", "가", "를", "와", "로", "예요")
KOREAN_NOUNS = """
학생 의사 가수 간호사 농부 화가 친구 이웃 남동생 딸 아들 책 편지 가방 시계 그림 상자 꽃 열쇠
연필 볼펜 사과 달걀 감자 수박 커피 물 우유 셔츠 치마 외투 신발 장화 민수 수진 지영 현우 버스
기차 지하철 택시 피아노 음악 영어
"""


@pytest.fixture(scope="module")
def corpora():
    return {pair: {split: parallel(pair, split) for split in PARALLEL_SIZES} for pair in PAIRS}


def everything(corpora, pair):
    return itertools.chain.from_iterable(corpora[pair].values())


@pytest.mark.parametrize("pair", PAIRS)
def test_splits_have_their_sizes_and_share_no_source(corpora, pair):
    splits = corpora[pair].items()
    sources = {split: {drawn.source for drawn in pairs} for split, pairs in splits}
    assert {split: len(found) for split, found in sources.items()} == PARALLEL_SIZES
    assert {split: len(drawn) for split, drawn in corpora[pair].items()} == PARALLEL_SIZES
    for one, other in itertools.combinations(sources.values(), 2):
        assert not one & other


@pytest.mark.parametrize("pair", PAIRS)
def test_no_test_sentence_is_in_train_of_another_seed(corpora, pair):
    train = {drawn.source for drawn in corpora[pair]["train"]}
    assert not train & {drawn.source for drawn in parallel(pair, "test", seed=5)}


def test_same_seed_gives_the_same_pairs_in_another_process():
    code = (
        "import hashlib; from seqnlp.samples import parallel; "
        "print(hashlib.sha256(repr(parallel('en-ko', 'eval', 3)).encode()).hexdigest())"
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


def test_another_seed_gives_other_pairs(corpora):
    assert parallel("en-de", "eval", seed=1) != corpora["en-de"]["eval"]


@pytest.mark.parametrize("pair", PAIRS)
def test_sources_have_5_to_15_words_and_targets_as_a_translation_has(corpora, pair):
    for drawn in everything(corpora, pair):
        assert 5 <= len(drawn.source.split()) <= 15
        assert 3 <= len(drawn.target.split()) <= 20


@pytest.mark.parametrize("pair", PAIRS)
def test_sentences_are_words_parted_by_single_spaces(corpora, pair):
    for drawn in everything(corpora, pair):
        for side in (drawn.source, drawn.target):
            assert side == " ".join(side.split())
            assert not set("<>[]()^~*|_@%") & set(side)
            assert side[0] == side[0].upper()
            assert side[-2:] in (" .", " ?")


@pytest.mark.parametrize("pair", PAIRS)
def test_links_are_in_range_and_sure_ones_are_possible(corpora, pair):
    for drawn in everything(corpora, pair):
        assert set(drawn.sure) < set(drawn.possible) or drawn.sure == drawn.possible
        for i, j in drawn.possible:
            assert i in range(len(drawn.source.split()))
            assert j in range(len(drawn.target.split()))


@pytest.mark.parametrize("pair", PAIRS)
def test_every_target_word_has_a_link_and_at_most_one_sure_link(corpora, pair):
    for drawn in everything(corpora, pair):
        assert {j for _, j in drawn.possible} == set(range(len(drawn.target.split())))
        sure = [j for _, j in drawn.sure]
        assert len(sure) == len(set(sure))


@pytest.mark.parametrize("pair", PAIRS)
def test_one_link_a_target_word_is_enough_for_an_error_rate_of_0(corpora, pair):
    test = corpora[pair]["test"]
    predicted = [{j: (i, j) for i, j in (*drawn.possible, *drawn.sure)} for drawn in test]
    rate = alignment_error_rate(
        [drawn.sure for drawn in test],
        [drawn.possible for drawn in test],
        [links.values() for links in predicted],
    )
    assert rate == 0


@pytest.mark.parametrize("pair", PAIRS)
def test_most_sentences_change_the_order_of_words(corpora, pair):
    crossed = [
        any(i < k and j > m for (i, j), (k, m) in itertools.permutations(drawn.sure, 2))
        for drawn in corpora[pair]["test"]
    ]
    assert sum(crossed) > 0.5 * len(crossed)


@pytest.mark.parametrize(("pair", "rules"), [("en-de", GERMAN), ("en-ko", KOREAN)])
def test_a_source_has_one_translation(pair, rules):
    rng, translations = random.Random(11), defaultdict(set)
    for _ in range(20000):
        node = derive(rules, "sentence", rng)
        if node is not None:
            source, target, _ = translate(node)
            translations[" ".join(source)].add(" ".join(target))
    assert [found for found in translations.values() if len(found) > 1] == []


@pytest.mark.parametrize("pair", PAIRS)
def test_train_shows_the_source_words_of_test(corpora, pair):
    train, test = (
        {word for drawn in corpora[pair][split] for word in drawn.source.split()}
        for split in ("train", "test")
    )
    assert test <= train


def test_german_articles_and_adjectives_agree_with_their_noun(corpora):
    seen = defaultdict(set)
    for drawn in everything(corpora, "en-de"):
        words = drawn.target[0].lower() + drawn.target[1:]
        words = words.split()
        for index, noun in enumerate(words):
            if noun not in GENDERS:
                continue
            if words[index - 1].startswith(("unser", "sein", "ihr")):
                continue
            inflected = words[index - 1] not in ARTICLES
            article = words[index - 1 - inflected]
            if article not in ARTICLES:
                continue
            ending = ENDINGS[article, GENDERS[noun]]
            seen[article, GENDERS[noun]].add(inflected)
            if inflected:
                stem = words[index - 1].removesuffix(ending)
                assert stem != words[index - 1], drawn.target
                assert stem[-1] != "e", drawn.target
    assert {key for key, found in seen.items() if True in found} == set(ENDINGS)


def test_german_pronouns_of_things_have_the_gender_of_their_noun(corpora):
    pronouns = {"er": "m", "sie": "f", "es": "n"}
    checked = set()
    for drawn in everything(corpora, "en-de"):
        if " because it is " not in drawn.source:
            continue
        before, after = (part.split() for part in drawn.target.split(", weil "))
        noun = next((word for word in reversed(before) if word[0].isupper()), None)
        if noun in GENDERS and after[-3] in ("billig", "schön", "neu", "praktisch"):
            assert pronouns[after[0]] == GENDERS[noun], drawn.target
            checked.add(after[0])
    assert checked == set(pronouns)


def test_german_finite_verbs_stand_second_in_plain_statements(corpora):
    others = {"bin", "sind", "war", "wird", "kann", "muss", "will"}
    subjects = {"Anna", "Peter", "Julia", "Felix", "Ich", "Wir"}
    checked = 0
    for drawn in everything(corpora, "en-de"):
        words = drawn.target.split()
        if words[0] in subjects and words[-1] == ".":
            assert words[1] in others or words[1].endswith(("t", "e", "en")), drawn.target
            checked += 1
    assert checked > 500


def test_korean_particles_agree_with_the_final_consonant(corpora):
    def is_closed(word):
        return "\u11a8" <= unicodedata.normalize("NFD", word)[-1] <= "\u11c2"

    seen = set()
    for drawn in everything(corpora, "en-ko"):
        for word, noun in itertools.product(drawn.target.split(), KOREAN_NOUNS.split()):
            particle = word.removeprefix(noun)
            if word == noun or particle == word:
                continue
            rieul = unicodedata.normalize("NFD", noun)[-1] == "\u11af"
            if particle in ("으로", "로"):
                expected = "으로" if is_closed(noun) and not rieul else "로"
                assert particle == expected, word
            elif particle in AFTER_CONSONANT:
                assert is_closed(noun), word
            elif particle in AFTER_VOWEL:
                assert not is_closed(noun), word
            seen.add(particle)
    assert {*AFTER_CONSONANT, *AFTER_VOWEL} <= seen


def test_korean_statements_end_in_a_polite_verb(corpora):
    for drawn in everything(corpora, "en-ko"):
        assert drawn.target.split()[-2].endswith("요")


@pytest.mark.parametrize(
    ("fields", "forms", "expected"),
    [
        ("Junge Jungen m weak", "acc", "Jungen"),
        ("Prinz Prinzen m weak", "dat", "Prinzen"),
        ("Prinz Prinzen m weak", "nom", "Prinz"),
        ("Mann Männer m", "acc", "Mann"),
        ("Mann Männer m", "dat plural", "Männern"),
        ("Frau Frauen f", "dat plural", "Frauen"),
        ("Radio Radios n", "dat plural", "Radios"),
    ],
)
def test_german_nouns(fields, forms, expected):
    assert german_words.noun(fields.split(), forms.split()) == expected


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        ("finite he", "ruft^1"),
        ("finite i", "rufe^1"),
        ("finite they plural", "rufen^1"),
        ("particle", "an^2~1"),
        ("joined we", "anrufen^1~2"),
        ("perfect he", "hat~1"),
        ("participle", "angerufen^1~2"),
        ("zu", "anzurufen^1~2"),
        ("infinitive", "anrufen^1~2"),
    ],
)
def test_german_separable_verbs(forms, expected):
    assert german_words.verb(["an-rufen", "ruft", "angerufen"], forms.split()) == expected


def test_german_verbs_of_motion_take_sein():
    fields = ["reisen", "reist", "gereist", "sein"]
    persons = (("i", "bin"), ("he", "ist"), ("they", "sind"))
    for person, expected in persons:
        assert german_words.verb(fields, ["perfect", person]) == f"{expected}~1"
    assert german_words.verb(fields, ["zu"]) == "zu~1_reisen^1~2"


@pytest.mark.parametrize(
    ("fields", "forms"),
    [
        ("읽 읽어", "읽어요 읽었어요 읽어서 읽지 읽을 읽으면 읽는다고 읽는 읽은"),
        ("사 사", "사요 샀어요 사서 사지 살 사면 산다고 사는 산"),
        ("만들 만들어", "만들어요 만들었어요 만들어서 만들지 만들 만들면 만든다고 만드는 만든"),
        ("듣 들어 들으", "들어요 들었어요 들어서 듣지 들을 들으면 듣는다고 듣는 들은"),
        ("돕 도와 도우", "도와요 도왔어요 도와서 돕지 도울 도우면 돕는다고 돕는 도운"),
        ("고르 골라", "골라요 골랐어요 골라서 고르지 고를 고르면 고른다고 고르는 고른"),
        ("마시 마셔", "마셔요 마셨어요 마셔서 마시지 마실 마시면 마신다고 마시는 마신"),
    ],
)
def test_korean_verbs(fields, forms):
    names = ["present", "past", "because", "negative", "future", "if", "that", "who", "who_did"]
    for name, expected in zip(names, forms.split(), strict=True):
        assert korean_words.verb(fields.split(), {name}) == f"{expected}^1~2"


def test_korean_adjectives_quote_without_a_verbs_ending():
    assert korean_words.adjective(["피곤하", "피곤해"], {"that"}) == "피곤하다고^1~2"
    assert korean_words.adjective(["외롭", "외로워", "외로우"], {"past"}) == "외로웠어요^1~2"


def test_english_takes_an_before_vowels():
    words = ["a", "old", "man", "eats", "a", "big", "egg", "."]
    assert " ".join(finish(words)) == "An old man eats a big egg ."


@pytest.mark.parametrize("rules", [GERMAN, KOREAN])
def test_every_rule_is_reached_and_every_symbol_has_rules(rules):
    reached, waiting = set(), ["sentence"]
    while waiting:
        symbol = waiting.pop()
        if symbol not in reached:
            reached.add(symbol)
            for alternative in rules[symbol]:
                if isinstance(alternative, str):
                    waiting.append(alternative)
                else:
                    waiting += getattr(alternative, "children", {}).values()
    assert reached == set(rules)


def test_links_are_written_with_a_mark_for_possible_ones():
    drawn = SentencePair("a b", "c d", ((0, 1),), ((0, 1), (1, 0)))
    assert to_links([drawn, drawn]) == "0-1 1p0\n" * 2
    assert parse_links(to_links([drawn])) == ([(0, 1)], [(0, 1), (1, 0)])


def test_files_hold_a_sentence_a_line(tmp_path, corpora):
    paths = write(tmp_path / "new", "en-ko", limit=7)
    assert [path.name for path in paths["eval"]] == ["eval.en", "eval.ko", "eval.links"]
    pairs = corpora["en-ko"]["test"][:7]
    texts = [path.read_text("utf-8") for path in paths["test"]]
    assert texts[0].splitlines() == [drawn.source for drawn in pairs]
    assert texts[1].splitlines() == [drawn.target for drawn in pairs]
    assert texts[2] == to_links(pairs)


def test_unknown_names_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"`pair` must be one of .* Received: pair='en-fr'"):
        parallel("en-fr")
    with pytest.raises(ValueError, match=r"`split` must be one of .* Received: split='dev'"):
        parallel("en-de", "dev")
    with pytest.raises(ValueError, match=r"`limit` must be at least 1 .* Received: limit=0"):
        write(tmp_path / "none", limit=0)
    with pytest.raises(ValueError, match=r"`pair` must be one of .* Received: pair='de'"):
        write(tmp_path / "none", "de")
    assert not (tmp_path / "none").exists()
