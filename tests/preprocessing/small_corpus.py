"""A small corpus of cities, for the tests of the preparation."""

import random
from pathlib import Path

CITIES = ["Paris", "Seoul", "London", "서울", "Zürich"]


def corpus(count, seed=0):
    """Distinct sentences as lists of (token, tag)."""
    rng = random.Random(seed)
    sentences = []
    for number in range(count):
        words = [(f"word{rng.randrange(40)}", "O") for _ in range(rng.randint(1, 6))]
        sentences.append(
            [("to", "O"), (rng.choice(CITIES), "B-city"), *words, (f"x{number}", "O")]
        )
    return sentences


def conll(sentences):
    return "".join("".join(f"{w}\t{t}\n" for w, t in s) + "\n" for s in sentences)


def write(path, sentences):
    path.write_text(conll(sentences), encoding="utf-8")
    return str(path)


def content(path):
    return Path(path).read_text(encoding="utf-8")


def tree(folder):
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def bert_vocabulary(folder):
    """Path of a vocab.txt that cuts the words of `corpus`; some cities are unknown to it."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "to", "word", "x", "Paris", "Lon"]
    pieces += ["##don", *(f"##{digit}" for digit in range(10))]
    path = Path(folder) / "vocab.txt"
    path.write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    return str(path)
