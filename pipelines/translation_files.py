"""The files that an evaluation of a translator reads beside the examples."""

import hashlib
import pathlib

from seqnlp.metrics import parse_links


def read_links(options, manifest):
    """Known links of the test pairs, a list of `(sure, possible)`, or None.

    Raises:
        ValueError: There are not as many lines as test pairs, or one is no alignment.
    """
    path, number = _links_path(options, manifest), manifest.records("test")
    if path is None:
        return None
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    if len(lines) != number:
        rejects = pathlib.Path(manifest.folder) / "rejects" / "rejects.jsonl"
        raise ValueError(
            f"{path}: expected {number} lines, one a pair of the test split; pairs that were "
            f"rejected ({rejects}) have none. Received: {len(lines)} lines"
        )
    links = []
    for at, line in enumerate(lines, start=1):
        try:
            links.append(parse_links(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {at}: {error}") from None
    return links


def _links_path(options, manifest):
    """What was given, or the sample corpus' own where the examples are made of that."""
    if options.links is not None:
        return options.links
    corpus = options.output / "corpus"
    tests = manifest.inputs.get("test", [])
    if not tests or any(_sha256(corpus / entry["file"]) != entry["sha256"] for entry in tests):
        return None
    return corpus / "test.links"


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def read_also(options):
    """The sources and the references of `--also_test`, or None.

    Raises:
        ValueError: A pair of lines cannot be used; the message names files, line and field.
    """
    if options.also_test is None:
        return None
    from seqnlp.preprocessing.pairs import Pair, PairReader

    with open(options.also_test[0], "rb") as source, open(options.also_test[1], "rb") as target:
        pairs = list(PairReader("parallel").read(source, target, *options.also_test))
    for pair in pairs:
        if not isinstance(pair, Pair):
            raise ValueError(f"{pair.file}, line {pair.line}: {pair.reason}")
    if not pairs:
        raise ValueError(f"{' + '.join(options.also_test)}: expected pairs. Received: none")
    return [pair.source for pair in pairs], [pair.target for pair in pairs]
