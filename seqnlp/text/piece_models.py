"""The pieces in a sentencepiece model, read without TensorFlow and without sentencepiece.

A model is a protocol buffer, `sentencepiece.ModelProto`. Of it this knows field 1, the pieces
in the order of their ids, each with its text (field 1) and its type (field 3); and that field 3,
the normalisation, stands behind them.
"""

from seqnlp.text.names import END_ID, START_ID, UNKNOWN_ID

_VARINT, _EIGHT_BYTES, _SIZED, _FOUR_BYTES = 0, 1, 2, 5
_PIECES, _NORMALIZER = 1, 3
_TEXT, _TYPE = 1, 3
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
# The type that a piece with a meaning of its own must have, by id.
_TYPES = {0: _CONTROL, UNKNOWN_ID: _UNKNOWN, START_ID: _CONTROL, END_ID: _CONTROL}
_NOT_A_MODEL = "must be the bytes of a sentencepiece model"


def read_pieces(model):
    """The pieces of a sentencepiece model.

    Args:
        model: `bytes`, a trained model, as in a `.spm` or `.model` file.

    Returns:
        List of `str`, the piece of every id.

    Raises:
        ValueError: `model` is no such thing, or has other ids for padding, unknown, start and
            end than 0, 1, 2 and 3.
    """
    if not isinstance(model, bytes):
        raise ValueError(f"`model` {_NOT_A_MODEL}. Received: model={type(model).__name__}")
    try:
        fields = [(number, value) for number, value, _ in proto_fields(model)]
        pieces = [_piece(value) for number, value in fields if number == _PIECES]
    except (ValueError, TypeError):
        raise ValueError(
            f"`model` {_NOT_A_MODEL}. Received: model of {len(model)} bytes, damaged or cut short"
        ) from None
    if not pieces:
        raise ValueError(
            f"`model` {_NOT_A_MODEL}. Received: model of {len(model)} bytes without pieces"
        )
    if _NORMALIZER not in {number for number, _ in fields}:  # cut short between two fields
        raise ValueError(
            f"`model` {_NOT_A_MODEL}. Received: model of {len(model)} bytes with pieces alone"
        )
    types = {id_: kind for id_, (_, kind) in enumerate(pieces[: len(_TYPES)])}
    if types != _TYPES:
        raise ValueError(
            "`model` must be trained with pad_id=0, unk_id=1, bos_id=2, eos_id=3. "
            f"Received: model that begins with the pieces {[text for text, _ in pieces[:4]]}"
        )
    return [text for text, _ in pieces]


def proto_fields(data):
    """The fields of a serialised protocol buffer, in order.

    Args:
        data: `bytes` of one message.

    Yields:
        `(number, value, written)`: the number of the field; its value, `bytes` where it has a
        size (strings, messages) or a fixed width, `int` where it is a varint; and the bytes
        of `data` that hold all this.

    Raises:
        ValueError: `data` ends inside a field, or is no protocol buffer.
    """
    position = 0
    while position < len(data):
        begin = position
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
        else:
            if kind == _SIZED:
                size, position = _varint(data, position)
            elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
                size = 8 if kind == _EIGHT_BYTES else 4
            else:
                raise ValueError(f"wire type {kind}")
            value, position = data[position : position + size], position + size
        if position > len(data) or not number:
            raise ValueError("cut short")
        yield number, value, data[begin:position]


def sized_field(number, value):
    """The bytes of a field that holds `value`, `bytes` of a string or a message."""
    return _to_varint(number << 3 | _SIZED) + _to_varint(len(value)) + value


def _piece(data):
    values = {_TYPE: _NORMAL}
    values |= {number: value for number, value, _ in proto_fields(data)}
    return str(values.get(_TEXT, b""), "utf-8"), values[_TYPE]


def _varint(data, position):
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("cut short")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _to_varint(value):
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])
