"""Input that could not be used: what is kept of it, and how it is counted."""

from typing import NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

NAMESPACE = "seqnlp.preprocessing"
# One of these ends a preparation, however many records are good; the first is told first.
FATAL_KINDS = ("damaged_file", "not_squad", "line_count")


class Reject(NamedTuple):
    """Input that could not be used.

    Fields:
        file: Path of the file as given; of two files read together `SOURCE + TARGET`.
        line: Number of the faulty line, from 1; of a question in a JSON file the one that its
            id stands in, or where it has none the one of the question before it.
        kind: Class of the reason, one word.
        reason: What was wrong: field, expected, received.
        text: The whole sentence as it stands in the file, bytes that are not UTF-8 written
            `\\xe9`; for `unseen_tag` and `unseen_label` its tokens and tags; of a pair both
            lines, parted by a tab.
    """

    file: str
    line: int
    kind: str
    reason: str
    text: str


def add_reject(reject):
    """Counts a reject as a Beam metric, by its kind, and returns it as a tagged output."""
    Metrics.counter(NAMESPACE, f"rejects_{reject.kind}").inc()
    return beam.pvalue.TaggedOutput("rejects", reject)
