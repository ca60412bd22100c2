"""What `docs/migrating-from-addons.md` shows is what happens."""

import ast
import pathlib
import re

import h5py
import numpy as np
from keras import ops

from docs import addons_table
from seqnlp.compat.addons_names import known_names, replacement_of
from seqnlp.compat.addons_uses import uses

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
PAGE = addons_table.PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
BEFORE = [block for block in BLOCKS if "tensorflow_addons" in block]
AFTER = [block for block in BLOCKS if "tensorflow_addons" not in block]
WORDS, TAGS, UNITS = 1000, 9, 64


def run(block, names):
    exec(compile(block, addons_table.PAGE.name, "exec"), names)
    return names


def one_with(blocks, text):
    (found,) = [block for block in blocks if text in block]
    return found


def test_the_table_is_that_of_the_map():
    shown = PAGE.split(addons_table.BEGIN)[1].split(addons_table.END)[0]
    assert shown == addons_table.table(), "python -m docs.addons_table"


def test_the_table_names_every_name_once():
    names = re.findall(r"^\| `tfa\.([\w.]+)` \| (?:none|`[a-z]+\.)", PAGE, flags=re.MULTILINE)
    rows = re.findall(r"^\| `tfa\.(\w+)` \| (`\w+[`.].*) \|$", PAGE, flags=re.MULTILINE)
    for package, listed in rows:
        if package in {name.split(".")[0] for name in known_names()} and package not in names:
            names += [f"{package}.{name}" for name in re.findall(r"`([\w.]+)`", listed)]
    assert sorted(names) == sorted(known_names())


def test_the_code_before_uses_names_that_have_a_replacement():
    found = [use.name for block in BEFORE for use in uses(ast.parse(block)) if use.name]
    assert len(found) == 12
    assert all(replacement_of(name)[0] for name in found)


def test_the_model_after_learns_and_takes_over_trained_weights(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    word_ids = random.integers(1, WORDS, size=(32, 12)).astype("int32")
    names = {"word_ids": word_ids, "tag_ids": word_ids % TAGS}
    run(one_with(AFTER, "CRFModel("), names)
    assert names["tags"].shape == word_ids.shape

    monkeypatch.chdir(tmp_path)
    weights = {
        "chain_kernel:0": random.normal(size=(TAGS, TAGS)),
        "left_boundary:0": random.normal(size=TAGS),
        "right_boundary:0": random.normal(size=TAGS),
        "crf/dense/kernel:0": random.normal(size=(UNITS, TAGS)),
        "crf/dense/bias:0": random.normal(size=TAGS),
    }
    with h5py.File("tagger.h5", "w") as file:
        group = file.create_group("crf")
        group.attrs["weight_names"] = [name.encode() for name in weights]
        for name, weight in weights.items():
            group[name] = weight
    run(one_with(AFTER, "load_crf"), names)
    loaded = [*names["crf"].weights, *names["dense"].weights]
    for actual, expected in zip(loaded, weights.values(), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(actual), expected, rtol=1e-6)


def test_the_functions_after_give_what_those_before_give():
    with np.load(FIXTURES / "crf.npz") as file:
        addons = {key: file[key] for key in file}
    real = addons["lengths"] > 0
    given = ("potentials", "tags", "lengths", "allowed")
    names = {key: ops.convert_to_tensor(addons[key][real]) for key in given}
    names["transitions"] = ops.convert_to_tensor(addons["transitions"])
    run(one_with(AFTER, "crf_log_likelihood"), names)
    mask = ops.convert_to_numpy(names["mask"])
    loss = -addons["log_likelihood"][real].mean()
    np.testing.assert_allclose(float(names["loss"]), loss, rtol=1e-5)
    for name, expected in (("best_tags", "best_tags"), ("allowed_tags", "constrained_tags")):
        np.testing.assert_array_equal(names[name], np.where(mask, addons[expected][real], 0))
    np.testing.assert_allclose(names["scores"], addons["best_score"][real], rtol=1e-5)


def test_the_translator_after_learns_and_takes_over_trained_weights(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    tokens = random.integers(4, WORDS, size=(8, 6)).astype("int32")
    lengths = np.array([6, 1, 5, 2, 6, 3, 4, 0])
    sources = np.where(np.arange(6) < lengths[:, None], tokens, 0)
    names = {
        "source_ids": sources,
        "target_ids": np.pad(sources[:, :-1], ((0, 0), (1, 0)), constant_values=2),
        "labels": sources,
    }
    run(one_with(AFTER, "beam_search"), names)
    assert names["token_ids"].shape == (8, 20)
    assert np.isfinite(names["found"].scores).all()

    monkeypatch.chdir(tmp_path)
    shapes = {
        "kernel": (32 + UNITS, 4 * UNITS),
        "recurrent_kernel": (UNITS, 4 * UNITS),
        "bias": (4 * UNITS,),
        "memory_layer": (UNITS, UNITS),
        "attention_layer": (2 * UNITS, UNITS),
    }
    stored = one_with(BEFORE, "np.savez")
    assert re.findall(r"^    (\w+)=", stored, flags=re.MULTILINE) == list(shapes)
    weights = {name: random.normal(size=shape) for name, shape in shapes.items()}
    np.savez("wrapper.npz", **weights)
    run(one_with(AFTER, "load_attention_wrapper"), names)
    decoder = names["decoder"]
    assert len(decoder.weights) == len(weights)
    actual = [*decoder.cells[0], decoder.attention.value_projection.kernel]
    for variable, expected in zip(actual, weights.values(), strict=False):
        np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-6)
    of_state, of_context = np.split(weights["attention_layer"], 2)
    kernel = ops.convert_to_numpy(decoder.readout_kernel)
    np.testing.assert_allclose(kernel, np.concatenate([of_context, of_state]), rtol=1e-6)


def test_the_optimizer_after_exists():
    optimizer = run(one_with(AFTER, "AdamW"), {})["optimizer"]
    assert optimizer.weight_decay == 1e-5 / 1e-3
