import pytest

from seqnlp.text import TaggingNames, TaggingText, Vocabulary
from seqnlp.text.names import SPECIALS, read_settings


@pytest.mark.parametrize("characters", [None, Vocabulary(["a", "서"])])
def test_names_are_those_of_the_saved_text(tmp_path, characters):
    TaggingText(Vocabulary(["to", "서울"]), characters, ["O", "B-city"]).save(str(tmp_path))
    assert TaggingNames.load(str(tmp_path)) == TaggingNames(
        words=[*SPECIALS, "to", "서울"],
        characters=characters and [*SPECIALS, "a", "서"],
        tags=["O", "B-city"],
    )


def test_settings_that_are_no_settings_are_named(tmp_path):
    (tmp_path / "text.json").write_text("[1]")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_settings(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/text.json: expected the keys ['characters', 'max_length', "
        "'max_word_length', 'normalizer', 'tokenizer']. Received: [1]"
    )
