"""The file formats of labelled texts: from lines to texts and their labels."""

import collections
import csv
import json

from seqnlp.preprocessing.fields import check_width, column_indices, field_of, string_field
from seqnlp.preprocessing.formats import Fault, check_unicode, parse_object, shown

TEXTS, LABEL = ("text", "text2"), "label"


class TSV:
    """Fields parted by tabs, without quoting, so that a line is a text with its label.

    Blank lines stand for nothing.

    Args:
        columns: Mapping from `text`, `label` and, of pairs of texts, `text2` to their indices from
            0; further names say that there are further columns.
        header: Whether the first line names the columns.
    """

    parted_by = "tabs"

    def __init__(self, columns=None, header=False):
        columns = {"text": 0, "label": 1} if columns is None else dict(columns)
        self.texts = TEXTS if TEXTS[1] in columns else TEXTS[:1]
        self._names = [*self.texts, LABEL]
        self._indices, self._width = column_indices(columns, self._names)
        self._header = header

    def records(self, lines):
        """`(number, line, whole)` of lines -> the same of records."""
        return lines

    def parse(self, number, record):
        """A record -> its texts and its label, `str`, or None; raises a `Fault`."""
        if not record.strip() or (self._header and number == 1):
            return None
        fields = self.fields(number, record)
        check_width(number, fields, self._width, self.parted_by)
        return [fields[index] for index in self._indices]

    def fields(self, _, record):
        """The fields of a record, `str`."""
        return record.split("\t")

    def field(self, name):
        """How messages name a field."""
        return f"column {self._indices[self._names.index(name)] + 1} ({name})"


class CSV(TSV):
    """Fields parted by commas, quoted as Python's `csv` does; a quoted one may hold line ends.

    Quotes that do not fit are a fault. It costs the record's first line alone: the next record
    begins on the line after it.

    Args:
        columns: As of `TSV`.
        header: As of `TSV`.
    """

    parted_by = "commas"

    def records(self, lines):
        """`(number, line, whole)` of lines -> the same of records, of one or more lines."""
        pulled = _Pulled(lines)
        reader = csv.reader(pulled, strict=True)
        while True:
            pulled.taken.clear()
            try:
                next(reader)
            except StopIteration:
                return
            except csv.Error:
                pulled.put_back_all_but_one()
            numbers, data, whole = zip(*pulled.taken, strict=True)
            yield numbers[0], b"\n".join(data), all(whole)

    def fields(self, number, record):
        """The fields of a record, `str`; raises a `Fault`."""
        try:
            return next(csv.reader([record], strict=True))
        except csv.Error as error:
            raise Fault(
                number,
                "csv",
                f"line: expected fields quoted as in CSV ({error}), received {shown(record)}",
            ) from None


class _Pulled:
    """Lines as `csv.reader` pulls them; those of the record that it is at can be put back."""

    def __init__(self, lines):
        self.taken = []
        self._lines, self._again = iter(lines), collections.deque()

    def __iter__(self):
        return self

    def __next__(self):
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line[1].decode("utf-8", "surrogateescape") + "\n"  # the reader checks the bytes

    def put_back_all_but_one(self):
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


class JSONLines:
    """A JSON object a line: `{"text": "A fine film.", "label": "good"}`. Blank lines are none.

    Args:
        text: Name of the field that holds the text.
        label: Name of the field that holds its label, a string or a number.
        text2: Name of the field that holds the second text, or None where labels are of one.
    """

    def __init__(self, text="text", label="label", text2=None):
        names = {"text": text, "text2": text2}
        self.texts = TEXTS if text2 is not None else TEXTS[:1]
        self._names = {name: names[name] for name in self.texts} | {LABEL: label}

    def records(self, lines):
        """`(number, line, whole)` of lines -> the same of records."""
        return lines

    def parse(self, number, record):
        """A record -> its texts and its label, `str`, or None; raises a `Fault`."""
        if not record.strip():
            return None
        found = parse_object(number, record)
        texts = [string_field(number, found, self._names[name]) for name in self.texts]
        name, expected = self._names[LABEL], "a string or a number"
        label = field_of(number, found, name, expected)
        if isinstance(label, str):
            check_unicode(number, self.field(LABEL), label)
        elif isinstance(label, bool) or not isinstance(label, int | float):
            received = shown(json.dumps(label))
            raise Fault(
                number, "json", f"field '{name}': expected {expected}, received {received}"
            )
        return [*texts, str(label)]

    def field(self, name):
        """How messages name a field."""
        return f"field '{self._names[name]}'"


LABELLED_FORMATS = {"tsv": TSV, "csv": CSV, "jsonl": JSONLines}
