"""A part of the training records, to see what fewer of them are worth."""

import apache_beam as beam

from seqnlp.preprocessing.split import content_hash


class TakeSome(beam.PTransform):
    """Records -> dict of `records`, some of them, and `counts`, which says how many are left out.

    Which are taken follows from a hash of their content alone: not from their order, nor from
    the runner. A greater number takes the same ones and others. They are held in memory.

    Args:
        most: Most records that are taken.
        content: Function from a record to its content, `str`.
        seed: `int`; another seed takes others.
    """

    def __init__(self, most, content, seed):
        super().__init__()
        self._most = most
        self._content = content
        self._seed = seed

    def expand(self, records):
        """Applies the transform; `counts` are as `EncodeGroups` gives them."""
        digests = records | "Digest" >> beam.Map(_digested, self._content, self._seed)
        least = beam.combiners.Top.Of(self._most, key=_digest, reverse=True)
        number = records | "Count" >> beam.combiners.Count.Globally()
        return {
            "records": digests | "Least" >> least | "Records" >> beam.FlatMap(_records),
            "counts": number | "LeftOut" >> beam.Map(_left_out, self._most),
        }


def _digested(record, content, seed):
    return content_hash(content(record).encode(), seed, "subset"), record


def _digest(pair):
    return pair[0]


def _records(pairs):
    return [record for _, record in pairs]


def _left_out(number, most):
    return ("train", "totals", "left_out"), max(0, number - most)
