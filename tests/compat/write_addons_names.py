"""Writes every public name and module of TensorFlow Addons: `make addons`.

A name stands under its shortest path. It is public where no part of that begins with an
underscore: what the packages list, what their modules define, and what `tfa.types` holds.
"""

import importlib
import pkgutil
import types

import tensorflow_addons as tfa
from write_addons_fixtures import FOLDER

PRIVATE = {"conftest", "testing", "tests", "custom_ops", "test_utils"}
KINDS = ("Initializer", "Regularizer", "Constraint", "Activation", "Optimizer", "Number")
KINDS += ("TensorLike", "FloatTensorLike", "AcceptableDTypes")
TYPES = [f"types.{kind}" for kind in KINDS if hasattr(tfa.types, kind)]


def modules():
    yield tfa
    for info in pkgutil.walk_packages(tfa.__path__, f"{tfa.__name__}."):
        if not PRIVATE & set(info.name.split(".")):
            yield importlib.import_module(info.name)


def is_public_in(module, name, value):
    """Whether `module` defines `value`, or is a package that lists it."""
    if name.startswith("_") or isinstance(value, types.ModuleType):
        return False
    home = getattr(value, "__module__", None) or ""
    return home == module.__name__ or (home.startswith(tfa.__name__) and is_package(module))


def is_package(module):
    return hasattr(module, "__path__")


def main():
    shortest = {}
    for module in modules():
        prefix = f"{module.__name__}.".removeprefix(f"{tfa.__name__}.")
        for name, value in vars(module).items():
            if is_public_in(module, name, value):
                known = shortest.get(id(value), prefix + name)
                shortest[id(value)] = min(known, prefix + name, key=depth)
    names = sorted({*shortest.values(), *TYPES, "optimizers.KerasLegacyOptimizer"})
    inner = [module.__name__.removeprefix(f"{tfa.__name__}.") for module in modules()][1:]
    for file, lines in (("addons_names.txt", names), ("addons_modules.txt", sorted(inner))):
        (FOLDER / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        print(f"{file}: {len(lines)} names")


def depth(path):
    return path.count("."), path


if __name__ == "__main__":
    main()
