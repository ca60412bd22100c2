"""What the export and check stages of all pipelines share: versions as a server polls them."""

import json
import os
import shutil

import keras
import tensorflow as tf

from pipelines.evaluation import BLESSED, NOT_BLESSED
from seqnlp import export

# What no corpus prepares a model for.
EDGE_STRINGS = [
    "",
    " ",
    "\t\n",
    "a",
    "...",
    "서울에서 부산으로 가는 기차 두 장 👨‍👩‍👧 예매해 줘 🙏",
    "서울",  # decomposed Hangul
    "Ｆｌｙ ｔｏ Ｏｓｌｏ",
    "ﬁnd a ﬂight",
    "🇰🇷 1️⃣ 👍🏽 🏳️‍🌈",
    "nul \x00 and bell \x07",
    "שלום to שלום",
    "word " * 300,
    "x" * 5000,
]
CHECKED, BATCH, WARM_UP = 200, 8, 20  # texts that are checked, asked at once, asked at the start
SERVED_TEXT = "assets.extra/text"  # beside the graph, for `check` and for who reads an export


def check_blessed(options):
    """A ValueError where the model did not beat its rivals and is not wanted anyway."""
    if options.export_anyway or (options.output / BLESSED).exists():
        return
    found = options.output / NOT_BLESSED
    raise ValueError(
        f"{options.output / BLESSED}: expected the mark of a model that beat its rivals; "
        f"{'improve the model' if found.exists() else 'run the evaluate stage'}, or give "
        f"--export_anyway. Received: {found.name if found.exists() else 'no verdict'}"
    )


def in_float32(model):
    """The model, or a copy that computes in float32: bfloat16 is slow on a server's processors."""
    config = json.dumps(keras.saving.serialize_keras_object(model))
    if "mixed_bfloat16" not in config:
        return model
    config = config.replace("mixed_bfloat16", "float32")
    copy = keras.saving.deserialize_keras_object(json.loads(config))
    copy.set_weights(model.get_weights())
    return copy


def write_version(options, model, text, signatures, requests, notes=None):
    """Writes the next version below `serving/NAME`.

    Args:
        options: Of the pipeline.
        model: The model.
        text: What stands between strings and the model; its files are kept beside the graph.
        signatures: Dict for `seqnlp.export.saved_model`.
        requests: List of warm-up requests, `(signature, {input: list})`.
        notes: Dict from the path of a JSON file in the folder to what it holds, or None.

    Returns:
        The folder.

    Raises:
        OSError: It cannot be written; what was is removed.
    """
    from serving.warmup import write_warmup

    home = _home(options)
    home.mkdir(parents=True, exist_ok=True)
    versions = [int(path.name) for path in home.iterdir() if path.name.isdecimal()]
    target, partial = home / str(max(versions, default=0) + 1), home / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        export.saved_model(model, text, partial, signatures)
        write_warmup(partial, options.name, requests)
        text.save(str(partial / SERVED_TEXT))
        for name, note in (notes or {}).items():
            (partial / name).write_text(json.dumps(note) + "\n")
        os.replace(partial, target)  # a server that polls the folder never sees half a version
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(f"cannot write {target}: {str(error).splitlines()[0]}") from error
    return target


def newest_version(options):
    """Folder of the newest version below `serving/NAME`; a ValueError where there is none."""
    home = _home(options)
    versions = [path for path in home.glob("*") if path.name.isdecimal()]
    if not versions:
        raise ValueError(f"{home}: expected an exported version; run the export stage first")
    return max(versions, key=lambda path: int(path.name))


def _home(options):
    return options.output / "serving" / options.name
