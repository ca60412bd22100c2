"""Small subword models for the tests, and what runs them without this library."""

import functools
import json
import os
import subprocess
import sys
import unicodedata

import tensorflow as tf

from seqnlp.preprocessing import learn_sentence_piece
from serving.double_process import ROOT
from serving.op_check import unsupported_ops

GERMAN = [
    "Zwei junge Männer stehen auf der Straße.",
    "Ein Mann schläft in einem grünen Zimmer auf der Couch.",
    "Eine Frau spielt ein Lied auf ihrer Geige!",
    "Der Hund läuft über die Straße, und der Mann läuft hinterher.",
    "Kinder spielen auf der grünen Wiese.",
]
KOREAN = [
    "두 젊은 남자가 거리에 서 있다.",
    "한 남자가 초록색 방의 소파에서 잔다.",
    "한 여자가 바이올린으로 노래를 연주한다!",
    "개가 거리를 뛰어가고, 남자가 그 뒤를 뛰어간다.",
    "아이들이 초록색 잔디밭에서 놀고 있다.",
]
SIZES = {"bpe": 160, "unigram": 105}
SENTENCES = GERMAN + KOREAN
DECOMPOSED = [unicodedata.normalize("NFD", sentence) for sentence in SENTENCES]
# Strings that no corpus prepares for, and what NFC models of SENTENCES give back of them.
UNKNOWN = " \u2047 "
EDGES = [
    ("", ""),
    ("   ", ""),
    ("\t\n\u3000\xa0\u2028", ""),
    ("\x00", ""),
    ("\x00\x00Ein\x00Mann", "Ein Mann"),
    ("Ein\t\tMann\r\n", "Ein Mann"),
    ("\ufeffEin\x07 Mann\x1b", "Ein Mann"),
    ("\u2581Ein\u2581\u2581Mann", "Ein Mann"),
    (b"Ein \xff\xfe Mann", f"Ein {UNKNOWN} Mann"),
    (b"Mann\xed\x95", f"Mann{UNKNOWN}"),
    ("Mann 😀👍🏽", f"Mann {UNKNOWN}"),
    ("[PAD]", None),
    ("[START] <s> [END] </s>", None),
]


@functools.cache
def model(model_type="bpe", byte_fallback=False):
    """Bytes of a model of SENTENCES with pieces for all their characters."""
    size = SIZES[model_type] + 256 * byte_fallback
    return learn_sentence_piece(
        SENTENCES, size, model_type, character_coverage=1, byte_fallback=byte_fallback
    )


def save_function(module, function, folder):
    """Writes `function(strings)`, which gives a dict of dense tensors, as a SavedModel.

    Returns the function as a graph function. Every op must be one that the server knows.
    """
    signature = [tf.TensorSpec([None], tf.string, name="strings")]
    root = tf.Module()
    root.module = module
    root.run = tf.function(function, input_signature=signature)
    tf.saved_model.save(root, str(folder), signatures=root.run)
    assert unsupported_ops(folder) == []
    return root.run


def to_json(outputs):
    """Numpy arrays as lists, with the bytes of strings in hexadecimal."""

    def plain(value):
        if isinstance(value, list):
            return [plain(part) for part in value]
        return value.hex() if isinstance(value, bytes) else value

    return {name: plain(array.tolist()) for name, array in outputs.items()}


def run_bare(folder, strings, python=sys.executable):
    """What the SavedModel answers in a process without Keras and this library."""
    program = (
        "import json, sys\n"
        "from serving.bare import bare_tensorflow, present\n"
        "tf = bare_tensorflow()\n"
        "run = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "strings = [bytes.fromhex(text) for text in json.load(sys.stdin)]\n"
        "def plain(value):\n"
        "    if isinstance(value, list):\n"
        "        return [plain(part) for part in value]\n"
        "    return value.hex() if isinstance(value, bytes) else value\n"
        "outputs = run(strings=tf.constant(strings, tf.string))\n"
        "assert present() == []\n"
        "print(json.dumps({name: plain(x.numpy().tolist()) for name, x in outputs.items()}))\n"
    )
    done = subprocess.run(
        [python, "-c", program, str(folder)],
        input=json.dumps([tf.compat.as_bytes(text).hex() for text in strings]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
