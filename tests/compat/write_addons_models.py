"""Writes models that end in a `tfa.layers.CRF` as Addons' users saved them: `make addons`.

Three models, with the tags that each gives: `functional`, a plain Keras model; `wrapped`, a
`tfa.text.CRFModelWrapper` trained by Adam; `bare`, without the layer's own projection and
boundaries. Each as a TensorFlow checkpoint, SavedModel, HDF5 or `.keras` file. Of a SavedModel
only the variables are kept, of a `.keras` file all but the date; that makes the bytes the same
each time.
"""

import pathlib
import shutil
import tempfile
import zipfile

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_fixtures import FOLDER, LENGTHS, TAGS, TIME, write_npz

WORDS, UNITS = 20, 5


def word_ids():
    """Random word ids, 0 at padding, of the lengths of the fixtures; none is empty."""
    ids = np.random.default_rng(0).integers(1, WORDS, size=(len(LENGTHS), TIME))
    return np.where(np.arange(TIME) < np.maximum(LENGTHS, 1)[:, None], ids, 0)


def embedded_words(units=UNITS):
    words = tf.keras.Input((None,), dtype="int32")
    return words, tf.keras.layers.Embedding(WORDS, units, mask_zero=True)(words)


def functional():
    words, vectors = embedded_words()
    tags, *_ = tfa.layers.CRF(TAGS)(vectors)
    return tf.keras.Model(words, tags)


def bare():
    words, scores = embedded_words(TAGS)
    tags, *_ = tfa.layers.CRF(TAGS, use_kernel=False, use_boundary=False)(scores)
    return tf.keras.Model(words, tags)


def wrapped():
    words, vectors = embedded_words()
    model = tfa.text.CRFModelWrapper(tf.keras.Model(words, vectors), TAGS)
    model.compile("adam")
    model.fit(word_ids(), word_ids() % TAGS, shuffle=False, verbose=0)
    return model


def with_random_weights(model, seed):
    random = np.random.default_rng(seed)
    model.set_weights([random.standard_normal(weight.shape) for weight in model.get_weights()])
    return model


def save(name, model, formats):
    """Write `model` in each of the `formats` under `FOLDER/saved`."""
    folder = FOLDER / "saved"
    if "checkpoint" in formats:
        model.save_weights(folder / name, save_format="tf")
        (folder / "checkpoint").unlink()
    if "h5" in formats:
        model.save_weights(folder / f"{name}.h5")
    with tempfile.TemporaryDirectory() as scratch:
        if "saved_model" in formats:
            model.save(f"{scratch}/model", save_format="tf")
            shutil.copytree(f"{scratch}/model/variables", folder / f"{name}_model/variables")
        if "keras" in formats:
            model.save(f"{scratch}/model.keras")
            without_date(pathlib.Path(scratch, "model.keras"), folder / f"{name}.keras")


def without_date(source, target):
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w") as write:
        for entry in ("config.json", "model.weights.h5"):
            info = zipfile.ZipInfo(entry, date_time=(1980, 1, 1, 0, 0, 0))
            write.writestr(info, read.read(entry))


def main():
    shutil.rmtree(FOLDER / "saved", ignore_errors=True)
    (FOLDER / "saved").mkdir(parents=True)
    models = {
        "functional": (functional, ("checkpoint", "saved_model", "h5", "keras")),
        "wrapped": (wrapped, ("checkpoint", "saved_model", "h5")),
        "bare": (bare, ("checkpoint", "keras")),
    }
    answers = {"word_ids": word_ids().astype(np.int32)}
    for seed, (name, (build, formats)) in enumerate(models.items()):
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(seed)
        model = with_random_weights(build(), seed)
        answers[f"{name}_tags"] = model(word_ids())
        save(name, model, formats)
        embeddings = [weight for weight in model.get_weights() if len(weight) == WORDS]
        answers[f"{name}_embeddings"] = embeddings[0]
    write_npz("saved.npz", answers)


if __name__ == "__main__":
    main()
