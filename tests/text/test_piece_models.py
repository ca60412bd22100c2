import io

import pytest
import sentencepiece

from seqnlp.text.names import END, PADDING, START, UNKNOWN
from seqnlp.text.piece_models import proto_fields, read_pieces, sized_field
from tests.text.small_subwords import SENTENCES, SIZES, model


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_the_pieces_are_those_that_the_library_reads(model_type):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model(model_type))
    pieces = read_pieces(model(model_type))
    assert pieces == [processor.id_to_piece(id_) for id_ in range(len(pieces))]
    assert len(pieces) == SIZES[model_type]
    assert pieces[:4] == [PADDING, UNKNOWN, START, END]


def test_the_pieces_of_bytes_are_read_too():
    pieces = read_pieces(model(byte_fallback=True))
    assert pieces[4:7] == ["<0x00>", "<0x01>", "<0x02>"]
    assert len(pieces) == 416


def test_fields_are_read_as_they_are_written():
    data = bytes([0x08, 0x96, 0x01])  # field 1, the varint 150: the manual's example
    data += sized_field(2, b"testing")
    data += bytes([0x1D, 0, 0, 0x80, 0x3F]) + bytes([0x21, *range(8)])
    data += sized_field(300, b"x" * 200)
    fields = list(proto_fields(data))
    assert [(number, value) for number, value, _ in fields] == [
        (1, 150),
        (2, b"testing"),
        (3, bytes([0, 0, 0x80, 0x3F])),
        (4, bytes(range(8))),
        (300, b"x" * 200),
    ]
    assert b"".join(written for _, _, written in fields) == data
    assert sized_field(2, b"testing") == b"\x12\x07testing"


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",
        b"\x08\x96",
        b"\x12\x07test",
        b"\x1d\x00",
        b"\x0b",
        b"\x00\x01",
        b"\x08" + 11 * b"\xff",
    ],
)
def test_a_damaged_message_is_refused(data):
    with pytest.raises(ValueError, match="cut short|wire type"):
        list(proto_fields(data))


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        (b"", "model of 0 bytes without pieces"),
        (b"text", "model of 4 bytes, damaged or cut short"),
        (b"\x0a\x03\x0a\x01", "model of 4 bytes, damaged or cut short"),
        (b"\x0a\x03\x0a\x01\xff", "model of 5 bytes, damaged or cut short"),
        (b"\x0a\x02\x08\x01", "model of 4 bytes, damaged or cut short"),
        (b"\x10\x01", "model of 2 bytes without pieces"),
        ("text", "model=str"),
        (None, "model=NoneType"),
    ],
)
def test_what_is_no_model_is_refused(wrong, received):
    with pytest.raises(ValueError, match="`model` must be") as caught:
        read_pieces(wrong)
    assert str(caught.value) == (
        f"`model` must be the bytes of a sentencepiece model. Received: {received}"
    )


def test_every_cut_through_the_pieces_is_seen():
    end = max(model().index(written) + len(written) for written in written_pieces())
    for size in range(end + 1):
        with pytest.raises(ValueError, match="`model` must be"):
            read_pieces(model()[:size])


def written_pieces():
    return [written for number, _, written in proto_fields(model()) if number == 1]


def test_other_ids_of_the_specials_are_refused():
    wrong = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=wrong,
        vocab_size=160,
        model_type="bpe",
        minloglevel=2,
    )
    with pytest.raises(ValueError, match="`model` must be trained") as caught:
        read_pieces(wrong.getvalue())
    assert str(caught.value).startswith(
        "`model` must be trained with pad_id=0, unk_id=1, bos_id=2, eos_id=3. "
        "Received: model that begins with the pieces ['<unk>', '<s>', '</s>', "
    )
