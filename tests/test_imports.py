"""Imports point one way: what the source says, and what really gets loaded."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BACKENDS = {"jax", "tensorflow"}
CORE = {"keras", "seqnlp.gradients", "seqnlp.scan"}
# What each part may import anywhere, and what only inside the function that needs it. The
# standard library, numpy, tag schemes and the part itself are free.
RULES = {
    "seqnlp.scan": ({"keras"}, BACKENDS),
    "seqnlp.gradients": ({"keras"}, BACKENDS),
    "seqnlp.tag_schemes": (set(), set()),
    "seqnlp.layers": (CORE, set()),
    "seqnlp.decoding": (CORE, set()),
    "seqnlp.losses": (CORE | {"seqnlp.layers"}, set()),
    "seqnlp.optimizers": ({"keras"}, set()),
    "seqnlp.models": (CORE | {"seqnlp.layers", "seqnlp.losses", "seqnlp.metrics"}, set()),
    "seqnlp.metrics": ({"keras"}, {"sacrebleu", "scipy", "seqeval", "sklearn"}),
    "seqnlp.text": ({"tensorflow"}, {"tensorflow_text"}),
    # What training reads where TensorFlow is not.
    "seqnlp.text.bert_names": ({"seqnlp.text.files", "seqnlp.text.names"}, set()),
    "seqnlp.text.files": (set(), {"tensorflow"}),
    "seqnlp.text.masked_lm": (set(), set()),
    "seqnlp.text.names": ({"seqnlp.text.files"}, set()),
    "seqnlp.text.piece_models": ({"seqnlp.text.names"}, set()),
    "seqnlp.text.translation_names": (
        {"seqnlp.text.files", "seqnlp.text.names", "seqnlp.text.piece_models"},
        set(),
    ),
    "seqnlp.text.word_vectors": ({"seqnlp.text.files"}, set()),
    "seqnlp.records": (
        {"seqnlp.text.bert_names", "seqnlp.text.masked_lm", "seqnlp.text.names"},
        {"tensorflow", "pyarrow", "google_crc32c"},
    ),
    "seqnlp.preprocessing": (
        {"apache_beam", "seqnlp.text", "seqnlp.records"},
        {
            "tensorflow",
            "tensorflow_metadata",
            "tensorflow_text",
            "pyarrow",
            "sentencepiece",
            "sentencex",
            "google",
        },
    ),
    "seqnlp.export": (
        {"keras", "tensorflow", "seqnlp.text", "seqnlp.decoding", "seqnlp.layers"},
        set(),
    ),
    "seqnlp.callbacks": (
        {
            "keras",
            "seqnlp.decoding",
            "seqnlp.gradients",
            "seqnlp.metrics",
            "seqnlp.plot",
            "seqnlp.text",
        },
        {"tensorflow"},
    ),
    "seqnlp.compat": (
        {
            "keras",
            "seqnlp.layers",
            "seqnlp.models",
            "seqnlp.text.bert_names",
            "seqnlp.text.files",
            "seqnlp.text.names",
        },
        {"tensorflow", "h5py", "seqnlp.text"},
    ),
    # Files of weights are read where neither Keras nor TensorFlow is.
    "seqnlp.compat.json_files": ({"seqnlp.text.files"}, set()),
    "seqnlp.compat.tensor_files": (
        {"seqnlp.compat.json_files", "seqnlp.text.files"},
        {"safetensors", "torch", "ml_dtypes"},
    ),
    "seqnlp.plot": ({"matplotlib"}, {"sklearn"}),
    "seqnlp.samples": (set(), set()),
    "pipelines": ({"keras", "tensorflow", "apache_beam", "seqnlp", "serving"}, set()),
    # What training loads, also where neither TensorFlow nor Beam is.
    **{
        f"pipelines.{name}": ({"keras", "pipelines", "seqnlp"}, {"tensorflow", "apache_beam"})
        for name in (
            "classification",
            "classification_evaluation",
            "classification_training",
            "command_line",
            "encoder_options",
            "encoders",
            "fine_tuning",
            "question_answering",
            "question_answering_evaluation",
            "question_answering_training",
            "evaluation",
            "precision",
            "pretraining",
            "pretraining_checks",
            "pretraining_evaluation",
            "pretraining_model",
            "pretraining_training",
            "stages",
            "streams",
            "checkpoints",
            "replicas",
            "tagging",
            "tagging_encoder",
            "tagging_evaluation",
            "tagging_fine_tuning",
            "tagging_model",
            "tagging_streams",
            "tagging_training",
            "task_options",
            "trained_model",
            "training",
            "translation",
            "translation_evaluation",
            "translation_model",
            "translation_training",
        )
    },
    "serving.client": (set(), set()),
    "serving.bert_client": ({"serving.client", "client"}, set()),
    "serving.classification_client": ({"serving.client", "client"}, set()),
    "serving.question_client": ({"serving.client", "client"}, set()),
    "serving.tagging_client": ({"serving.client", "client"}, set()),
    "serving.translation_client": ({"serving.client", "client"}, set()),
    "serving": (
        {"tensorflow", "tensorflow_serving", "grpc", "google"},
        {"ovmsclient"},
    ),
}
CORE_PARTS = (
    "scan",
    "gradients",
    "layers",
    "decoding",
    "losses",
    "models",
    "metrics",
    "optimizers",
    "tag_schemes",
)
FILES = sorted(
    path.relative_to(ROOT)
    for folder in ("seqnlp", "pipelines", "serving")
    for path in (ROOT / folder).rglob("*.py")
)


def module_of(path):
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def part_of(module):
    """The longest name in the table that the module is in."""
    names = [name for name in RULES if f"{module}.".startswith(f"{name}.")]
    return max(names, key=len) if names else None


def imports(tree):
    """`(module, lazily)` of every import; `from package import name` counts as either."""
    lazy = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in lazy
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            if node.module in ("seqnlp", "serving", "pipelines"):
                for name in node.names:
                    yield f"{node.module}.{name.name}", id(node) in lazy
            else:
                yield node.module, id(node) in lazy


def is_within(module, allowed):
    return any(f"{module}.".startswith(f"{name}.") for name in allowed)


def faults(path, source):
    module = module_of(path)
    part = part_of(module)
    anywhere, lazily = RULES[part]
    free = {*sys.stdlib_module_names, "numpy", "seqnlp.tag_schemes", part}
    if part == "seqnlp.samples":
        free -= {"numpy", "seqnlp.tag_schemes"}
    if part == "seqnlp.tag_schemes":
        free -= {"seqnlp.tag_schemes"}
    for name, is_lazy in imports(ast.parse(source)):
        if not is_within(name, free | anywhere | (lazily if is_lazy else set())):
            yield f"{module} imports {name}{' lazily' if is_lazy else ''}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_imports_what_its_part_may(path):
    if module_of(path) == "seqnlp":
        names = {name for name, _ in imports(ast.parse((ROOT / path).read_text("utf-8")))}
        assert names <= sys.stdlib_module_names | {"importlib.metadata"}
    else:
        assert list(faults(path, (ROOT / path).read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("seqnlp/layers/x.py", "import tensorflow as tf"),
        ("seqnlp/layers/x.py", "from seqnlp.models import Tagger"),
        ("seqnlp/layers/x.py", "from seqnlp import models"),
        ("seqnlp/decoding/x.py", "from seqnlp.layers import CRF"),
        ("seqnlp/losses.py", "def f():\n    import jax"),
        ("seqnlp/records.py", "import tensorflow"),
        ("seqnlp/samples/x.py", "import numpy"),
        ("seqnlp/text/x.py", "import tensorflow_text"),
        ("seqnlp/compat/x.py", "import h5py"),
        ("pipelines/tagging_training.py", "import tensorflow"),
        ("serving/client.py", "import grpc"),
    ],
)
def test_the_table_refuses(path, source):
    assert len(list(faults(pathlib.Path(path), source))) == 1


CORE_FILES = [
    path for path in FILES if module_of(path).startswith(tuple(f"seqnlp.{x}" for x in CORE_PARTS))
]


@pytest.mark.parametrize("path", CORE_FILES, ids=str)
def test_the_core_uses_nothing_of_one_backend_alone(path):
    source = (ROOT / path).read_text("utf-8")
    tree = ast.parse(source)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert "numpy" not in called, ".numpy() exists on TensorFlow alone"
    assert "keras.src" not in source


def run(program, **environment):
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    return done.stdout.strip(), done.stderr.strip()


def test_importing_seqnlp_loads_nothing_heavy():
    heavy = "{'keras', 'numpy', 'tensorflow', 'jax', 'apache_beam', 'matplotlib'}"
    program = f"import sys, seqnlp\nprint(sorted({heavy} & set(sys.modules)), seqnlp.__version__)"
    out, error = run(program)
    assert out.startswith("[] 0."), error


def test_submodules_are_listed_and_come_when_asked_for():
    import seqnlp

    names = {path.stem for path in (ROOT / "seqnlp").iterdir()} - {"__init__", "__pycache__"}
    assert set(seqnlp._SUBMODULES) == names
    assert {*names, "__version__"} <= set(dir(seqnlp))
    program = (
        "import seqnlp\nprint(seqnlp.tag_schemes.ENCODINGS[1], seqnlp.samples.travel.__name__)"
    )
    assert run(program)[0] == "bio travel"


def test_an_unknown_name_is_an_attribute_error():
    import seqnlp

    with pytest.raises(AttributeError, match="module 'seqnlp' has no attribute 'nothing'"):
        _ = seqnlp.nothing


def test_models_on_jax_leave_tensorflow_out():
    program = (
        "import sys\n"
        "import seqnlp.models, seqnlp.gradients\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'tensorflow'])"
    )
    out, error = run(program, KERAS_BACKEND="jax")
    assert out == "[]", error


def test_names_and_word_vectors_leave_tensorflow_out():
    program = (
        "import sys\n"
        "from seqnlp.text import TaggingNames, TranslationNames, load_word_vectors\n"
        "print('tensorflow' in sys.modules)"
    )
    out, error = run(program)
    assert out == "False", error


def test_the_report_on_addons_needs_the_standard_library_alone():
    out, error = run(
        "import sys, seqnlp.compat.tfa\n"
        "print({name.split('.')[0] for name in sys.modules} & {'keras', 'numpy', 'tensorflow'},"
        " [name for name in sys.modules if name.startswith('seqnlp.') and 'compat' not in name])"
    )
    assert out == "set() []", error


def test_preprocessing_leaves_keras_out():
    out, error = run("import sys, seqnlp.preprocessing\nprint('keras' in sys.modules)")
    assert out == "False", error


@pytest.mark.parametrize(
    ("missing", "statement", "message"),
    [
        (
            "apache_beam",
            "import seqnlp.preprocessing.readers",
            'seqnlp.preprocessing needs apache-beam: pip install "seqnlp[beam]"',
        ),
        (
            "apache_beam",
            "import seqnlp; seqnlp.preprocessing",
            'seqnlp.preprocessing needs apache-beam: pip install "seqnlp[beam]"',
        ),
        (
            "tensorflow",
            "from seqnlp.text import Vocabulary",
            'seqnlp.text.Vocabulary needs tensorflow: pip install "seqnlp[tensorflow]"',
        ),
        (
            "tensorflow",
            "import seqnlp.export",
            'seqnlp.export needs tensorflow: pip install "seqnlp[tensorflow]"',
        ),
        (
            "matplotlib",
            "import seqnlp.callbacks",
            'seqnlp.plot needs matplotlib: pip install "seqnlp[plot]"',
        ),
        (
            "matplotlib",
            "from seqnlp import plot",
            'seqnlp.plot needs matplotlib: pip install "seqnlp[plot]"',
        ),
        (
            "seqeval",
            "from seqnlp.metrics import span_scores; span_scores([['O']], [['O']])",
            'span scores need seqeval: pip install "seqnlp[metrics]"',
        ),
        (
            "safetensors",
            "from seqnlp.compat import huggingface; "
            "huggingface.read_encoder('tests/compat/fixtures/huggingface')",
            'reading model.safetensors needs safetensors: pip install "seqnlp[checkpoints]"',
        ),
    ],
)
def test_a_missing_package_is_an_error_that_names_its_extra(missing, statement, message):
    program = f"import sys\nsys.modules[{missing!r}] = None\n{statement}"
    assert run(program)[1].splitlines()[-1] == f"ImportError: {message}"
