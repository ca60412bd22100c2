import html
import string

from seqnlp.callbacks.tables import plain


def test_pages_show_the_text_as_it_is():
    text = string.printable + "서울"
    assert html.unescape(plain(text)) == text


def test_quotes_stay_and_markup_does_not():
    assert plain("it's *<b>* & ##c") == "it's &#42;&#60;b&#62;&#42; &#38; &#35;&#35;c"
