"""What the tests of the readers read with."""

import io

from seqnlp.preprocessing import Reject, Sentence, SentenceReader

GOOD = Sentence(("to", "Paris"), ("O", "B-city"), "f", 1)


def read(data, path="f", **options):
    data = data.encode() if isinstance(data, str) else data
    return list(SentenceReader(**options).read(io.BytesIO(data), path))


def reasons(data, **options):
    return [(r.line, r.kind, r.reason) for r in read(data, **options) if isinstance(r, Reject)]


def conllu(*rows):
    return "".join(
        "\t".join([number, form, "_", tag, *["_"] * 6]) + "\n" for number, form, tag in rows
    )
