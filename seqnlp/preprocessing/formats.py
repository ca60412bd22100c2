"""The file formats of labelled sentences: from the lines of a block to tokens and tags."""

import json
import re

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")


class Fault(Exception):
    """What is wrong with a sentence: `line` (from 1), `kind` and `reason`."""

    def __init__(self, line, kind, reason):
        super().__init__(line, kind, reason)
        self.line, self.kind, self.reason = line, kind, reason


class Columns:
    """A token a line, its fields parted by tabs, or by spaces in a line without tabs.

    Args:
        columns: Mapping from a column's name to its index from 0.
        token: Name of the column that holds the token.
        tag: Name of the column that holds the tag.
        comment: Lines that begin with this text are left out; None keeps all.
        skip_token: Lines with this token (`-DOCSTART-`) are left out.
        label: Name of the label of the whole sentence, which stands in one comment of it,
            `# NAME = value`; all lines of that form are then comments. None reads no label.
    """

    line_is_sentence = False

    def __init__(
        self, columns=None, token="token", tag="tag", comment=None, skip_token=None, label=None
    ):
        columns = {"token": 0, "tag": 1} if columns is None else dict(columns)
        for name, index in columns.items():
            if not isinstance(index, int) or index < 0:
                raise ValueError(
                    "`columns` must map names to indices from 0 on. "
                    f"Received: columns={ {name: index} }"
                )
        for argument, name in (("token", token), ("tag", tag)):
            if name not in columns:
                raise ValueError(
                    f"`{argument}` must be one of the columns {', '.join(columns)}. "
                    f"Received: {argument}={name!r}"
                )
        self.token = (columns[token], token)
        self.tag = (columns[tag], tag)
        self.comment = comment
        self.skip_token = skip_token
        self.label = _Label(label)

    def parse(self, first, lines):
        """`lines` of `str` -> `(tokens, tags, numbers, label)`; raises a `Fault`."""
        (token_index, _), (tag_index, _) = self.token, self.tag
        comment, skip_token = self.comment, self.skip_token
        tokens, tags, numbers, width = [], [], [], 0
        label, lines = self.label.take(first, lines)
        for number, line in lines:
            if comment and line.startswith(comment):
                continue
            if "\t" in line:
                fields = line.split("\t")
            else:
                fields = [field for field in line.split(" ") if field]
            if skip_token and skip_token in fields[token_index : token_index + 1]:
                continue
            width = width or len(fields)
            if len(fields) != width or width <= token_index or width <= tag_index:
                self._refuse(number, fields, width)
            tokens.append(fields[token_index])
            tags.append(fields[tag_index])
            numbers.append(number)
        return tokens, tags, numbers, self.label.checked(first, label) if tokens else None

    def token_field(self, _):
        """How messages name the field of a token."""
        return f"column {self.token[0] + 1} ({self.token[1]})"

    def tag_field(self, _):
        """How messages name the field of a tag."""
        return f"column {self.tag[0] + 1} ({self.tag[1]})"

    def _refuse(self, number, fields, width):
        for index, name in sorted((self.token, self.tag)):
            if index >= len(fields):
                raise Fault(
                    number,
                    "columns",
                    f"column {index + 1} ({name}): expected {index + 1} columns, "
                    f"received {len(fields)}",
                )
        raise Fault(
            number,
            "columns",
            f"columns: expected {width} as in the first line of the sentence, "
            f"received {len(fields)}",
        )


class CoNLLU(Columns):
    """Universal Dependencies: ten columns parted by tabs.

    Multiword tokens (`3-4`) and empty nodes (`8.1`) are left out.

    Args:
        tag: Name of the column that holds the tag: `upos`, `xpos`, `deprel`, ...
        label: Name of the sentence's label, as in `Columns`.
    """

    def __init__(self, tag="upos", label=None):
        columns = {name: index for index, name in enumerate(CONLLU_COLUMNS)}
        super().__init__(columns, "form", tag, comment="#", label=label)

    def parse(self, first, lines):
        """`lines` of `str` -> `(tokens, tags, numbers, label)`; raises a `Fault`."""
        tokens, tags, numbers, tag_index = [], [], [], self.tag[0]
        label, lines = self.label.take(first, lines)
        for number, line in lines:
            if line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != len(CONLLU_COLUMNS):
                raise Fault(
                    number,
                    "columns",
                    f"columns: expected {len(CONLLU_COLUMNS)} parted by tabs, "
                    f"received {len(fields)}",
                )
            if not fields[0].isdecimal():
                if "-" in fields[0] or "." in fields[0]:
                    continue
                raise Fault(
                    number,
                    "columns",
                    f"column 1 (id): expected a number, received {shown(fields[0])}",
                )
            if fields[tag_index] == "_":
                raise Fault(
                    number,
                    "empty_tag",
                    f"{self.tag_field(0)}: expected a tag, received '_', which stands for none",
                )
            tokens.append(fields[1])
            tags.append(fields[tag_index])
            numbers.append(number)
        return tokens, tags, numbers, self.label.checked(first, label) if tokens else None


_METADATA = re.compile(r"#\s*([^\s=][^\t=]*?)\s*=(.*)", re.DOTALL)


class _Label:
    """The label of a sentence, in one comment `# NAME = value` of it.

    Args:
        name: Its name, or None where no label is asked for.
    """

    def __init__(self, name):
        if name is not None and not name.strip():
            raise ValueError(f"`label` must be the name of a comment. Received: label={name!r}")
        self.name = name

    def take(self, first, lines):
        """`lines` -> `(number, value)` of each such comment, `(number, line)` of what is none."""
        if self.name is None:
            return [], enumerate(lines, first)
        labels, rest = [], []
        for number, line in enumerate(lines, first):
            match = _METADATA.fullmatch(line) if line[:1] == "#" else None
            if match is None:
                rest.append((number, line))
            elif match[1] == self.name:
                labels.append((number, match[2].strip()))
        return labels, rest

    def checked(self, first, labels):
        """The one label of a sentence, None where none is asked for; raises a `Fault`."""
        if self.name is None:
            return None
        field = f"comment {self.name!r}"
        if not labels:
            raise Fault(
                first,
                "no_label",
                f"{field}: expected a line '# {self.name} = ...' in the sentence, received none",
            )
        if len(labels) > 1:
            raise Fault(
                labels[1][0],
                "bad_label",
                f"{field}: expected one in a sentence, received {shown(labels[1][1])} "
                f"besides {shown(labels[0][1])}",
            )
        ((number, value),) = labels
        return checked_label(number, field, value)


def checked_label(line, field, value):
    """A label as it is; raises a `Fault` where it is blank or holds what cannot be seen."""
    if not value.strip() or not value.isprintable():
        raise Fault(
            line,
            "bad_label",
            f"{field}: expected a label of printable characters, received {shown(value)}",
        )
    return value


class JSONLines:
    """A JSON object a line: `{"tokens": ["Paris"], "tags": ["B-city"]}`.

    Args:
        token: Name of the field that holds the tokens.
        tag: Name of the field that holds the tags.
        label: Name of the field that holds the label of the whole sentence, a string; None
            reads no label.
    """

    line_is_sentence = True

    def __init__(self, token="tokens", tag="tags", label=None):
        self.token = token
        self.tag = tag
        self.label = label

    def parse(self, first, lines):
        """`lines` of `str` -> `(tokens, tags, numbers, label)`; raises a `Fault`."""
        (line,) = lines
        record = parse_object(first, line)
        tokens, tags = (self._strings(first, record, name) for name in (self.token, self.tag))
        if not tokens:
            raise Fault(
                first, "empty_sentence", f"field '{self.token}': expected tokens, received none"
            )
        if len(tokens) != len(tags):
            raise Fault(
                first,
                "json",
                f"field '{self.tag}': expected {len(tokens)} tags, one a token, "
                f"received {len(tags)}",
            )
        return tokens, tags, [first] * len(tokens), self._label(first, record)

    def token_field(self, index):
        """How messages name token `index` of a sentence."""
        return f"field '{self.token}', item {index + 1}"

    def tag_field(self, index):
        """How messages name tag `index` of a sentence."""
        return f"field '{self.tag}', item {index + 1}"

    def _label(self, line, record):
        if self.label is None:
            return None
        field = f"field '{self.label}'"
        if self.label not in record:
            fields = ", ".join(map(repr, record))
            raise Fault(line, "no_label", f"{field}: expected a label, received {fields} only")
        value = record[self.label]
        if not isinstance(value, str):
            raise Fault(
                line,
                "bad_label",
                f"{field}: expected a label, a string, received {shown(json.dumps(value))}",
            )
        return checked_label(line, field, value)

    def _strings(self, line, record, name):
        if name not in record:
            fields = ", ".join(map(repr, record)) or "no field"
            raise Fault(
                line, "json", f"field '{name}': expected a list of strings, received {fields} only"
            )
        values = record[name]
        if not isinstance(values, list):
            raise Fault(
                line,
                "json",
                f"field '{name}': expected a list of strings, received "
                f"{shown(json.dumps(values))}",
            )
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise Fault(
                    line,
                    "json",
                    f"field '{name}', item {index + 1}: expected a string, received "
                    f"{shown(json.dumps(value))}",
                )
        return values


def parse_object(number, line):
    """The JSON object of a line as a dict; raises a `Fault`."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(line.rstrip())
        received = "the end of the line" if at_end else shown(line[error.pos :])
        raise Fault(
            number,
            "json",
            f"character {error.pos + 1} of the line: expected JSON ({error.msg}), "
            f"received {received}",
        ) from None
    except (ValueError, RecursionError) as error:  # huge numbers, deep nesting
        raise Fault(
            number, "json", f"line: expected a JSON object, received {shown(line)} ({error})"
        ) from None
    if not isinstance(record, dict):
        raise Fault(number, "json", f"line: expected a JSON object, received {shown(line)}")
    return record


def decode(data, place, line="the line"):
    """UTF-8 without NUL as `str`; raises a `Fault`.

    Args:
        data: `bytes`.
        place: Function from a position in `data`, from 0, to the number of its line and its
            byte in there, from 1.
        line: How messages name the line.
    """
    if b"\0" in data:
        number, position = place(data.index(b"\0"))
        raise Fault(
            number, "nul_byte", f"byte {position} of {line}: expected text, received a NUL byte"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        number, position = place(error.start)
        raise Fault(
            number,
            "not_utf8",
            f"byte {position} of {line}: expected UTF-8, received 0x{data[error.start]:02X}",
        ) from None


def check_unicode(number, field, text):
    """JSON can write what UTF-8 cannot: halves of surrogate pairs; raises a `Fault`."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Fault(
            number,
            "not_utf8",
            f"{field}: expected Unicode text, received the lone surrogate "
            f"U+{ord(text[error.start]):04X}",
        ) from None


def shown(text, limit=40):
    """`text` quoted and cut, so that a message stays short."""
    return repr(text if len(text) <= limit else text[:limit] + "...")


FORMATS = {"conll": Columns, "conllu": CoNLLU, "jsonl": JSONLines}


def make_format(formats, input_format, layout):
    """The format of files that arguments describe.

    Args:
        formats: Dict from the name of a format to its class.
        input_format: One of the names.
        layout: Dict of arguments of the class.

    Raises:
        ValueError: There is no such format, or it has no such argument.
    """
    if input_format not in formats:
        raise ValueError(
            f"`input_format` must be one of {', '.join(formats)}. "
            f"Received: input_format={input_format!r}"
        )
    try:
        return formats[input_format](**layout)
    except TypeError as error:
        raise ValueError(
            f"`layout` must hold arguments of the format {input_format}. "
            f"Received: layout={layout} ({error})"
        ) from None
