"""The encoder of a path, whoever wrote it."""

import argparse
import pathlib
import re

import numpy as np
import pytest

from pipelines import checkpoints, encoders
from seqnlp.compat import huggingface
from seqnlp.models import BERTPretrainer
from seqnlp.text import BERTNames, BERTText
from seqnlp.text.bert_names import VOCABULARY_FILE

FOLDER = pathlib.Path(__file__).parents[1] / "compat" / "fixtures" / "huggingface"


def options(path, output, **given):
    settings = {"encoder": str(path), "encoder_flag": "--encoder", "output": output}
    settings |= {"random_weights": False, "lowercase": False, "size": "tiny", "dropout": 0.25}
    return argparse.Namespace(**settings | {"mixed_precision": False} | given)


@pytest.fixture
def keras_file(tmp_path):
    """A model.keras with its text, of the weights of the folder."""
    model = BERTPretrainer(huggingface.read_encoder(str(FOLDER)))
    model.build(dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None)))
    model.save(tmp_path / "model.keras")
    names = huggingface.read_names(str(FOLDER))
    text = BERTText(names.names.pieces, names.lowercase, max_length=24)
    text.save(str(tmp_path / "model.text"))
    return tmp_path / "model.keras"


@pytest.fixture
def examples(tmp_path):
    """Folder with the vocabulary and the settings of examples."""
    names = huggingface.read_names(str(FOLDER))
    BERTText(names.names.pieces, names.lowercase, max_length=12).save(str(tmp_path / "examples"))
    return str(tmp_path / "examples")


def expected():
    return huggingface.read_encoder(str(FOLDER)).get_weights()


@pytest.mark.parametrize("kind", ["folder", "keras file"])
def test_weights_and_names_are_those_of_the_path(kind, keras_file, examples, tmp_path):
    path = FOLDER if kind == "folder" else keras_file
    encoder = encoders.make_encoder(options(path, tmp_path), examples)
    assert all(map(np.array_equal, encoder.get_weights(), expected()))
    assert encoder.config["dropout"] == encoder.config["attention_dropout"] == 0.25
    found, own = checkpoints.read_names(path, "--encoder"), huggingface.read_names(str(FOLDER))
    assert found == own


def test_positions_that_no_pair_of_pretraining_had_are_told(keras_file, tmp_path, capsys):
    names = huggingface.read_names(str(FOLDER))
    longer = str(tmp_path / "longer")
    for folder, length in ((str(tmp_path / "model.text"), 16), (longer, 20)):
        BERTText(names.names.pieces, names.lowercase, max_length=length).save(folder)
    encoders.make_encoder(options(keras_file, tmp_path), longer)
    assert capsys.readouterr().out.splitlines()[0] == (
        f"the 4 positions from 16 on are still random: {keras_file} was pretrained on pairs of "
        "16 pieces"
    )


def test_a_file_without_its_vocabulary(keras_file):
    text = keras_file.parent / "model.text" / "vocab.txt"
    text.unlink()
    message = (
        f"{text}: expected the vocabulary that the train stage of pipelines.pretraining writes "
        "beside model.keras. Received: no such file"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checkpoints.read_names(keras_file, "--encoder")


def test_random_weights_have_the_size_alone(examples, tmp_path):
    given = options(FOLDER, tmp_path, random_weights=True)
    encoder = encoders.make_encoder(given, examples)
    shapes = [weight.shape for weight in expected()]
    assert [weight.shape for weight in encoder.get_weights()] == shapes
    assert not np.allclose(encoder.get_weights()[0], expected()[0])


def test_a_vocabulary_that_is_no_file_of_its_own_is_written(tmp_path):
    found = encoders.vocabulary(options(FOLDER, tmp_path / "new"))
    assert found.path == str(tmp_path / "new" / VOCABULARY_FILE)
    own = huggingface.read_names(str(FOLDER))
    assert BERTNames.load(str(tmp_path / "new")) == own.names
    assert found.lowercase == own.lowercase


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    message = (
        "`--bert` must be a .keras file of pipelines.pretraining, or a folder with the "
        "config.json of Hugging Face's BERT or the bert_config.json of Google's. "
        f"Received: {tmp_path}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checkpoints.read_names(tmp_path, "--bert")


def test_examples_of_other_pieces_are_refused(examples, tmp_path):
    path = pathlib.Path(examples, VOCABULARY_FILE)
    path.write_text(path.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    message = (
        f"{path}: expected the vocabulary of {FOLDER}; run the prepare stage with this "
        "--encoder. Received: other pieces, see also text.json"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encoders.make_encoder(options(FOLDER, tmp_path), examples)
