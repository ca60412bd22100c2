"""`CRF` against `tfa.layers.CRF`, and the weights that its users bring along.

The fixtures hold a layer's weights, its answers on masked inputs in float64, and models as
Addons' users saved them (`make addons`).
"""

import math
import pathlib
import shutil
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.compat.addons_weights import read_layers
from seqnlp.compat.tfa import load_crf
from seqnlp.layers import CRF, crf_log_likelihood

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
SAVED = FIXTURES / "saved"
TAGS = 7
WEIGHTS = ("chain_kernel", "left_boundary", "right_boundary", "kernel", "bias")


def answers(given, weights):
    """The log likelihood and its gradients for the inputs and each of the weights."""
    sizes = np.cumsum([math.prod(weight.shape) for weight in weights.values()])[:-1]

    def apart(flat):
        parts = zip(weights.items(), ops.split(flat, sizes.tolist()), strict=True)
        return {name: ops.reshape(part, weight.shape) for (name, weight), part in parts}

    def log_likelihood(flat):
        weight = apart(flat)
        potentials = weight["inputs"]
        if "kernel" in weight:
            potentials = ops.matmul(potentials, weight["kernel"]) + weight["bias"]
        boundaries = weight.get("left_boundary"), weight.get("right_boundary")
        scores = (weight["chain_kernel"], *boundaries)
        return crf_log_likelihood(potentials, given["tags"], given["mask"], *scores)

    def total(flat):
        return ops.sum(log_likelihood(flat) * given["upstream"])

    flat = ops.concatenate([ops.reshape(weight, (-1,)) for weight in weights.values()])
    by = apart(gradients.gradient(total)(flat))
    return {"log_likelihood": log_likelihood(flat), **{f"by_{name}": by[name] for name in by}}


compiled_answers = gradients.compiled(answers)


def layer_case(name):
    """The fixture as a dict."""
    with np.load(FIXTURES / f"{name}.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", ["crf_layer", "crf_layer_large", "crf_layer_bare"])
class TestLayer:
    def test_values_and_gradients_are_those_of_addons(self, name):
        fixture = layer_case(name)
        given, weights = (
            {key: ops.convert_to_tensor(fixture[key]) for key in keys if key in fixture}
            for keys in (("tags", "mask", "upstream"), ("inputs", *WEIGHTS))
        )
        ours = compiled_answers(given, weights)
        assert set(ours) == {key for key in fixture if key.startswith(("by_", "log_"))}
        for key, value in ours.items():
            expected = fixture[key]
            scale = max(1.0, np.abs(expected).max())
            actual = ops.convert_to_numpy(value)
            np.testing.assert_allclose(actual / scale, expected / scale, atol=1e-5, err_msg=key)

    def test_arrays_of_weights_give_the_same_tags(self, name):
        fixture = layer_case(name)
        weights = {key: fixture[key] for key in WEIGHTS if key in fixture}
        crf = CRF(TAGS, use_boundaries="left_boundary" in weights)
        dense = keras.layers.Dense(TAGS) if "kernel" in weights else None
        load_crf(weights, crf, dense)
        inputs, mask = fixture["inputs"], fixture["mask"]
        outputs = crf(inputs if dense is None else dense(inputs), mask=mask)
        np.testing.assert_array_equal(outputs["tags"], np.where(mask, fixture["best_tags"], 0))


def tags_of(name, crf, dense):
    """Tags that the layers give for the word ids of the saved models, and those of Addons."""
    with np.load(FIXTURES / "saved.npz") as file:
        word_ids, embeddings, expected = (
            file[key] for key in ("word_ids", f"{name}_embeddings", f"{name}_tags")
        )
    mask = word_ids > 0
    vectors = embeddings[word_ids]
    outputs = crf(vectors if dense is None else dense(vectors), mask=mask)
    return outputs["tags"], np.where(mask, expected, 0)


def layers_for(name):
    return CRF(TAGS), None if name == "bare" else keras.layers.Dense(TAGS)


@pytest.mark.parametrize(
    "file",
    [
        *("functional", "functional.index", "functional_model", "functional.h5"),
        *("functional.keras", "wrapped", "wrapped_model", "wrapped.h5", "bare", "bare.keras"),
    ],
)
def test_a_saved_model_gives_the_same_tags(file):
    name = file.split("_")[0].split(".")[0]
    crf, dense = layers_for(name)
    load_crf(SAVED / file, crf, dense)
    np.testing.assert_array_equal(*tags_of(name, crf, dense))


def test_weights_alone_in_the_format_of_keras_3_are_read(tmp_path):
    with zipfile.ZipFile(SAVED / "functional.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    crf, dense = layers_for("functional")
    load_crf(tmp_path / "model.weights.h5", crf, dense)
    np.testing.assert_array_equal(*tags_of("functional", crf, dense))


def test_a_layer_without_boundaries_sets_those_of_a_built_crf_to_zero():
    crf = CRF(TAGS)
    crf.build((None, None, TAGS))
    crf.start_transitions.assign(np.ones(TAGS))
    load_crf({"chain_kernel": np.ones((TAGS, TAGS))}, crf)
    np.testing.assert_array_equal(crf.start_transitions, np.zeros(TAGS))
    np.testing.assert_array_equal(crf.transitions, np.ones((TAGS, TAGS)))


def message_of(error, function, *arguments, **options):
    with pytest.raises(error) as raised:
        function(*arguments, **options)
    return str(raised.value)


def test_other_sizes_are_refused_before_any_weight_changes():
    crf, dense = CRF(5), keras.layers.Dense(5)
    path = SAVED / "functional.h5"
    assert message_of(ValueError, load_crf, path, crf, dense) == (
        f"{path}, layer 'crf': variable 'chain_kernel' must have shape (5, 5). "
        "Received: shape=(7, 7)"
    )
    assert not crf.built
    assert not dense.built


def test_a_projection_of_another_width_is_refused():
    crf, dense = layers_for("functional")
    dense.build((None, None, 6))
    path = SAVED / "functional"
    assert message_of(ValueError, load_crf, path, crf, dense) == (
        f"{path}, layer 'layer_with_weights-1': variable 'kernel' must have shape (6, 7). "
        "Received: shape=(5, 7)"
    )


def test_a_missing_array_is_refused():
    weights = {"chain_kernel": np.ones((TAGS, TAGS)), "right_boundary": np.ones(TAGS)}
    assert message_of(ValueError, load_crf, weights, CRF(TAGS)) == (
        "`source`, layer 'arrays': variable 'left_boundary' must have shape (7,). "
        "Received: shape=None"
    )


def test_a_projection_needs_a_dense_layer_to_go_to():
    path = SAVED / "functional.keras"
    assert message_of(ValueError, load_crf, path, CRF(TAGS)) == (
        f"`dense` must be a keras.layers.Dense(7), as {path}, layer 'layers/crf' holds a "
        "'kernel'. Received: dense=None"
    )


def test_a_dense_layer_needs_a_projection():
    path, dense = SAVED / "bare", keras.layers.Dense(TAGS, name="scores")
    assert message_of(ValueError, load_crf, path, CRF(TAGS), dense) == (
        f"`dense` must be None, as {path}, layer 'layer_with_weights-1' holds no 'kernel'. "
        f"Received: dense={dense}"
    )


def test_a_dense_layer_needs_a_bias_and_as_many_units_as_tags():
    path = SAVED / "functional"
    dense = keras.layers.Dense(TAGS, use_bias=False)
    assert message_of(ValueError, load_crf, path, CRF(TAGS), dense) == (
        "`dense` must have 7 units, as `crf` has tags, and a bias. "
        "Received: dense.units=7, dense.use_bias=False"
    )


def test_boundaries_need_a_crf_with_boundaries():
    path, dense = SAVED / "functional.h5", keras.layers.Dense(TAGS)
    crf = CRF(TAGS, use_boundaries=False)
    assert message_of(ValueError, load_crf, path, crf, dense) == (
        f"`crf` must have use_boundaries=True, as {path}, layer 'crf' holds 'left_boundary'. "
        "Received: crf.use_boundaries=False"
    )


@pytest.fixture
def two_layers(tmp_path):
    """The `.h5` file of a model with the same CRF layer twice."""
    path = tmp_path / "two.h5"
    shutil.copy(SAVED / "functional.h5", path)
    with h5py.File(path, "a") as file:
        file.copy("crf", "crf_1")
    return path


def test_one_of_several_layers_must_be_named(two_layers):
    assert message_of(ValueError, load_crf, two_layers, *layers_for("functional")) == (
        f"`layer` must name a CRF layer of {two_layers}: 'crf', 'crf_1'. Received: layer=None"
    )
    crf, dense = layers_for("functional")
    load_crf(two_layers, crf, dense, layer="crf_1")
    np.testing.assert_array_equal(*tags_of("functional", crf, dense))


def test_a_dense_layer_after_a_bare_crf_is_not_taken_for_its_projection(tmp_path):
    path = tmp_path / "nested.h5"
    names = ["chain_kernel:0", "dense_1/kernel:0", "dense_1/bias:0"]
    with h5py.File(path, "w") as file:
        group = file.create_group("model_1")
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name in names:
            group[name] = np.zeros((TAGS, TAGS))
    assert read_layers(path).keys() == {"model_1"}
    assert read_layers(path)["model_1"].keys() == {"chain_kernel"}


def test_a_file_without_a_crf_is_refused(tmp_path):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    path = tmp_path / "other.keras"
    assert message_of(ValueError, read_layers, path) == (
        f"{path} must hold the weights of a tfa.layers.CRF, but holds none."
    )


@pytest.mark.parametrize("name", ["x.h5", "x.keras", "x"])
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path, name):
    for path in (tmp_path / name, tmp_path / "x.index"):
        path.write_bytes(b"not a model")
    kind = {".h5": "an HDF5", ".keras": "a .keras"}.get(pathlib.Path(name).suffix)
    message = message_of(ValueError, read_layers, tmp_path / name)
    what = f"{kind} file" if kind else "a TensorFlow checkpoint"
    assert message.startswith(f"{tmp_path / name} cannot be read as {what}: ")


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "nothing"
    assert message_of(FileNotFoundError, load_crf, path, CRF(TAGS)) == (
        f"{path} must be a checkpoint (there is no {path}.index), a SavedModel's folder, "
        "an .h5 or a .keras file."
    )


def test_a_checkpoint_without_tensorflow_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert message_of(ImportError, read_layers, SAVED / "functional") == (
        'reading a TensorFlow checkpoint needs tensorflow: pip install "seqnlp[tensorflow]"'
    )
