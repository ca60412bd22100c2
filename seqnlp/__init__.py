"""seqnlp: sequence models on text with Keras, from a corpus file to a served model."""

import importlib

_SUBMODULES = (
    "callbacks",
    "compat",
    "decoding",
    "export",
    "gradients",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "plot",
    "preprocessing",
    "records",
    "samples",
    "scan",
    "tag_schemes",
    "text",
)


def __getattr__(name):
    """Loads a submodule when it is first asked for: most programs need few of them."""
    if name == "__version__":
        from importlib import metadata

        return metadata.version("seqnlp")
    if name in _SUBMODULES:
        return importlib.import_module(f"seqnlp.{name}")
    raise AttributeError(f"module 'seqnlp' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_SUBMODULES, "__version__"})
