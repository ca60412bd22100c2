"""What a preparation with the pieces of a BERT writes, and which it refuses."""

import json
import re

import pytest

from seqnlp.preprocessing import PrepareError, prepare_tagging
from seqnlp.records import SPLITS, read_manifest, read_sentences
from seqnlp.text import BERTText, TaggingText
from tests.preprocessing.small_corpus import bert_vocabulary, corpus, tree, write

MOST = 10


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Arguments of a preparation, but for its folder."""
    folder = tmp_path_factory.mktemp("given")
    paths = [write(folder / f"{seed}", corpus(30, seed)) for seed in range(3)]
    names = ("train", "dev", "test")
    bert = {"vocabulary": bert_vocabulary(folder), "max_length": MOST, "lowercase": False}
    return {**dict(zip(names, paths, strict=True)), "encoding": "bio", "bert": bert}


@pytest.fixture(scope="module")
def prepared(given, tmp_path_factory):
    output = str(tmp_path_factory.mktemp("prepared") / "examples")
    prepare_tagging(output, **given)
    return output


def test_the_folder_holds_the_vocabulary_as_a_bert_reads_it(given, prepared):
    bert = BERTText.load(f"{prepared}/bert")
    assert bert.get_config() == TaggingText.load(prepared).bert.get_config()
    assert (bert.lowercase, bert.max_length) == (False, MOST)
    with open(given["bert"]["vocabulary"], encoding="utf-8") as file:
        assert bert.names.pieces == file.read().split()


def test_the_manifest_vouches_for_the_vocabulary(prepared):
    manifest = read_manifest(prepared)
    files = [entry["file"] for entry in manifest.content["files"]]
    assert {"bert/vocab.txt", "bert/text.json"} < set(files)
    assert manifest.options["bert"] == {
        "vocabulary_size": 21,
        "lowercase": False,
        "max_length": MOST,
    }
    assert manifest.versions["tensorflow_text"]


def test_statistics_count_parts_and_unknown_pieces(prepared):
    bert = BERTText.load(f"{prepared}/bert")
    statistics = json.loads(tree(prepared)["statistics.json"])
    for split in SPLITS:
        found, numbers, longest, pieces, unknown = statistics["splits"][split], [], [], 0, 0
        for tokens, _ in read_sentences(prepared, split):
            words = bert.tokenize(tokens).to_list()
            pieces += sum(map(len, words))
            unknown += sum(ids.count(1) for ids in words)
            parts = [0]
            for ids in words:
                if parts[-1] + len(ids) > MOST - 2:
                    parts.append(0)
                parts[-1] += len(ids)
            numbers.append(len(parts))
            longest.append(max(parts) + 2)
        for name, expected in (("parts", numbers), ("part_lengths", longest)):
            listed = [[value, expected.count(value)] for value in sorted(set(expected))]
            assert found[name]["histogram"] == listed
        assert found["in_several_parts"] == sum(number > 1 for number in numbers) > 0
        assert found["unknown_pieces"] == pytest.approx(unknown / pieces, abs=1e-6)


def test_a_preparation_of_words_removes_the_pieces_of_the_one_before(given, tmp_path):
    plain = {name: value for name, value in given.items() if name != "bert"}
    prepare_tagging(tmp_path / "out", **given)
    prepare_tagging(tmp_path / "out", **plain)
    prepare_tagging(tmp_path / "new", **plain)
    assert tree(tmp_path / "out") == tree(tmp_path / "new")
    manifest = read_manifest(tmp_path / "new")
    assert not {"bert", "max_train_examples"} & set(manifest.options)
    assert set(manifest.versions) == {"python", "seqnlp", "beam", "tensorflow"}


def test_pieces_are_learned_of_the_words_of_training(given, tmp_path):
    bert = {"vocabulary_size": 80, "max_length": MOST, "lowercase": True}
    manifest = prepare_tagging(tmp_path / "out", **{**given, "bert": bert})
    pieces = TaggingText.load(str(tmp_path / "out")).bert.names.pieces
    assert {"to", "word", "seoul"} & set(pieces)
    assert manifest.statistics["vocabulary"]["pieces"] == len(pieces) <= 80
    assert manifest.statistics["splits"]["train"]["unknown_pieces"] == 0


def test_too_few_pieces_end_the_preparation(given, tmp_path):
    bert = {"vocabulary_size": 7, "max_length": MOST}
    with pytest.raises(PrepareError) as error:
        prepare_tagging(tmp_path / "out", **{**given, "bert": bert})
    expected = (
        r"The preparation did not finish: no vocabulary can be made: `vocabulary_size` must be at "
        r"least \d+ for this corpus: .* Received: vocabulary_size=7\. Correct the named argument "
        r"or the input\."
    )
    assert re.fullmatch(expected, str(error.value))
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("bert", "message"),
    [
        (
            {"vocabularies": 1},
            "`bert` must be a dict of some of vocabulary, vocabulary_size, lowercase, max_length. "
            "Received: bert with vocabularies",
        ),
        (
            {"max_length": 4},
            "`bert['max_length']` must be at least 5. Received: bert['max_length']=4",
        ),
        (
            {"vocabulary_size": 5},
            "`bert['vocabulary_size']` must be at least 6. Received: bert['vocabulary_size']=5",
        ),
    ],
)
def test_options_that_make_no_pieces_are_refused(given, tmp_path, bert, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        prepare_tagging(tmp_path / "out", **{**given, "bert": bert})
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_that_is_none_of_bert_is_refused(given, tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nto\n")
    message = (
        f"{path}: must hold the specials [PAD], [UNK], [CLS], [SEP], [MASK]. "
        "Received: 5 pieces without [MASK]"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        prepare_tagging(tmp_path / "out", **{**given, "bert": {"vocabulary": str(path)}})


def test_a_vocabulary_that_is_not_there_is_named(given, tmp_path):
    path = tmp_path / "vocab.txt"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(str(path))}: there is no such file"):
        prepare_tagging(tmp_path / "out", **{**given, "bert": {"vocabulary": str(path)}})
