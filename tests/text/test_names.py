import pytest

from seqnlp.text import TaggingNames, TaggingText, Vocabulary
from seqnlp.text.names import SPECIALS, read_settings


@pytest.mark.parametrize("labels", [None, ["ask", "예매"]])
@pytest.mark.parametrize("characters", [None, Vocabulary(["a", "서"])])
def test_names_are_those_of_the_saved_text(tmp_path, characters, labels):
    words = Vocabulary(["to", "서울"])
    TaggingText(words, characters, ["O", "B-city"], labels=["x"]).save(str(tmp_path))
    TaggingText(words, characters, ["O", "B-city"], labels=labels).save(str(tmp_path))
    assert (tmp_path / "labels.txt").exists() == (labels is not None)
    assert TaggingNames.load(str(tmp_path)) == TaggingNames(
        words=[*SPECIALS, "to", "서울"],
        characters=characters and [*SPECIALS, "a", "서"],
        tags=["O", "B-city"],
        labels=labels,
    )


def test_settings_that_are_no_settings_are_named(tmp_path):
    (tmp_path / "text.json").write_text("[1]")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_settings(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/text.json: expected the keys ['characters', 'labels', 'max_length', "
        "'max_word_length', 'normalizer', 'tokenizer']. Received: [1]"
    )
