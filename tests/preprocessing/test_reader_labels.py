"""Labels of sentences, where the readers find them and what they refuse."""

import pytest

from tests.preprocessing.reading import GOOD, conllu, read, reasons

LABELLED = {
    "conll": ("# intent = book flight\nto\tO\nParis\tB-city\n", {}),
    "conll with other comments": (
        "% text\nto\tO\n#intent=book flight \nParis\tB-city\n",
        {"comment": "%"},
    ),
    "conllu": (
        "# text = x\n# intent = book flight\n"
        + conllu(("1", "to", "O"), ("2", "Paris", "B-city")),
        {"input_format": "conllu"},
    ),
    "jsonl": (
        '{"tokens": ["to", "Paris"], "tags": ["O", "B-city"], "intent": "book flight"}\n',
        {"input_format": "jsonl"},
    ),
}


@pytest.mark.parametrize("name", LABELLED)
def test_sentences_have_the_label_asked_for(name):
    data, options = LABELLED[name]
    (sentence,) = read(data, label="intent", **options)
    assert (sentence.tokens, sentence.tags) == GOOD[:2]
    assert sentence.label == "book flight"


def test_a_label_not_asked_for_is_a_comment():
    assert read(LABELLED["conllu"][0], input_format="conllu")[0].label is None


def test_another_name_that_begins_alike_is_no_label():
    data = "# intent_2 = b\n# intent = a\nx\tO\n"
    assert read(data, label="intent")[0].label == "a"


def test_a_number_sign_is_a_token_beside_a_label():
    (sentence,) = read("# intent = a\n#\t=\n=\t#\n", label="intent")
    assert sentence.tokens == ("#", "=")


def test_comments_alone_are_no_sentence_without_a_label():
    assert read("# text\n\n", label="intent", comment="#") == []


NO_LABEL = "expected a line '# intent = ...' in the sentence, received none"


BAD_LABELS = {
    "none": ("a\tO\nb\tO\n", "conll", (1, "no_label", f"comment 'intent': {NO_LABEL}")),
    "none in conllu": (
        "# text = a\n" + conllu(("1", "a", "X")),
        "conllu",
        (1, "no_label", f"comment 'intent': {NO_LABEL}"),
    ),
    "empty": (
        "a\tO\n# intent =  \n",
        "conll",
        (
            2,
            "bad_label",
            "comment 'intent': expected a label of printable characters, received ''",
        ),
    ),
    "unprintable": (
        "# intent = a\u2028b\na\tO\n",
        "conll",
        (
            1,
            "bad_label",
            "comment 'intent': expected a label of printable characters, received 'a\\u2028b'",
        ),
    ),
    "two": (
        "# intent = a\nx\tO\n# intent = b\n",
        "conll",
        (3, "bad_label", "comment 'intent': expected one in a sentence, received 'b' besides 'a'"),
    ),
    "no field": (
        '{"tokens": ["a"], "tags": ["O"]}',
        "jsonl",
        (1, "no_label", "field 'intent': expected a label, received 'tokens', 'tags' only"),
    ),
    "no string": (
        '{"tokens": ["a"], "tags": ["O"], "intent": null}',
        "jsonl",
        (1, "bad_label", "field 'intent': expected a label, a string, received 'null'"),
    ),
    "empty string": (
        '{"tokens": ["a"], "tags": ["O"], "intent": " "}',
        "jsonl",
        (
            1,
            "bad_label",
            "field 'intent': expected a label of printable characters, received ' '",
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_LABELS)
def test_bad_labels_say_why(name):
    data, input_format, expected = BAD_LABELS[name]
    assert reasons(data, input_format=input_format, label="intent") == [expected]
