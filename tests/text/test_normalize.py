import random
import sys
import unicodedata

import pytest
import tensorflow as tf

from seqnlp.text import Normalizer, valid_utf8

HARD = [
    "",
    "Ｆｕｌｌ　ｗｉｄｔｈ１２",
    "ﬁnance ﬂow",
    unicodedata.normalize("NFD", "한국어 café"),
    "ΣΑΣ É ǅ",
    "٣ ３ 𝟘 3 ①",
    "a\x00B",
]


def decoded(tensor):
    return [text.decode() for text in tensor.numpy().tolist()]


@pytest.mark.parametrize("form", ["nfc", "nfkc"])
def test_forms_agree_with_python(form):
    expected = [unicodedata.normalize(form.upper(), text) for text in HARD]
    assert decoded(Normalizer(form=form)(HARD)) == expected


def test_no_form_keeps_the_string():
    assert decoded(Normalizer(form=None)(HARD)) == HARD


def test_lowercase_covers_every_script():
    texts = ["ΣΑΣ", "ÉCOLE", "ЖУК", "Ａ", "IJ", "한A"]
    assert decoded(Normalizer(lowercase=True)(texts)) == [text.lower() for text in texts]


def test_digits_of_every_script_become_zero_and_nothing_else():
    texts = ["1a23", "٣", "３", "𝟘", "①½Ⅳ"]
    assert decoded(Normalizer(digits=True)(texts)) == ["0a00", "0", "0", "0", "①½Ⅳ"]


def test_normal_form_comes_before_lower_case_and_digits():
    everything = Normalizer(form="nfkc", lowercase=True, digits=True)
    assert decoded(everything(["Ａ①ﬁ"])) == ["a0fi"]


def test_ragged_keeps_its_shape():
    ragged = tf.ragged.constant([[["A"], []], [], [["B", "C"]]])
    assert Normalizer(lowercase=True)(ragged).to_list() == [[[b"a"], []], [], [[b"b", b"c"]]]


def test_dense_keeps_its_shape():
    assert Normalizer()(tf.fill([2, 3, 4], "a")).shape == (2, 3, 4)


def test_output_is_valid_utf8():
    assert decoded(Normalizer(lowercase=True, digits=True)([b"\xffA1\xe2\x82"])) == ["�a0�"]


def test_config_rebuilds_the_same_normalizer():
    config = {"form": "nfkc", "lowercase": True, "digits": True}
    assert Normalizer.from_config(config).get_config() == config


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match=r"`form` must be one of .* Received: form='nfd'$"):
        Normalizer(form="nfd")


def test_missing_tensorflow_text_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match=r'pip install "seqnlp\[tensorflow\]"'):
        Normalizer(form="nfc")(["a"])


def test_without_a_form_tensorflow_text_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    assert decoded(Normalizer(form=None, lowercase=True, digits=True)(["A1"])) == ["a0"]


def test_valid_utf8_agrees_with_python_on_random_bytes():
    generator = random.Random(3)
    pieces = [b"a", b"\x00", "é".encode(), "한".encode(), "😀".encode(), b"\xed\xa0\x80"]
    pieces += [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\x80", b"\xc0\xaf", b"\xf5"]
    texts = [b"".join(generator.choices(pieces, k=generator.randrange(9))) for _ in range(500)]
    expected = [text.decode(errors="replace") for text in texts]
    assert decoded(valid_utf8(texts)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0\x80",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8",
        b"a\xc3",
        b"\x80",
    ],
    ids=["long zero", "long", "surrogate", "too large", "no byte", "cut", "rest"],
)
def test_valid_utf8_finds_each_kind_of_broken_character(data):
    assert decoded(valid_utf8([data])) == [data.decode(errors="replace")]


def test_valid_utf8_keeps_the_ends_of_all_ranges():
    text = "\0\n\x7f\x80\u07ff\u0800\ud7ff\ue000\ufffe\uffff\U00010000\U0010ffff"
    assert decoded(valid_utf8([text])) == [text]


def test_valid_utf8_keeps_ragged_shape():
    ragged = tf.ragged.constant([[b"a", b"\xff"], []])
    assert valid_utf8(ragged).to_list() == [[b"a", "�".encode()], []]
