import hashlib
import io
import json
import shutil

import pyarrow
import pyarrow.parquet
import pytest

from seqnlp.records import (
    SPLITS,
    ParquetRows,
    example_columns,
    parquet,
    read_manifest,
    read_parquet,
    read_sentences,
    tagging_batches,
    write_parquet,
)

NAMES = example_columns(characters=True)
ROWS = [
    {
        "tokens": [b"to", "서울".encode()],
        "word_ids": [2, 7],
        "tag_ids": [0, 1],
        "char_ids": [3, 4, 9, 8],
        "char_counts": [2, 2],
    },
    {
        "tokens": [b"a"],
        "word_ids": [1],
        "tag_ids": [0],
        "char_ids": [5],
        "char_counts": [1],
    },
]
SHARD = "Split-train/examples-00000-of-00004.parquet"


def row_of(values, names=NAMES):
    pieces = {
        name: map(ParquetRows.text if name == "tokens" else ParquetRows.integer, values[name])
        for name in names
    }
    return ParquetRows.row(pieces)


def packed(rows, names=NAMES):
    file = io.BytesIO()
    write_parquet(file, (row_of(row, names) for row in rows), names)
    return file.getvalue()


def write(path, rows, names=NAMES):
    path.write_bytes(packed(rows, names))
    return path


def complaint(path, names=NAMES):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        list(read_parquet(path, names))
    return str(caught.value)


def test_pyarrow_reads_what_is_written(tmp_path):
    found = pyarrow.parquet.read_table(write(tmp_path / "x.parquet", ROWS)).to_pylist()
    text = [[token.decode() for token in row["tokens"]] for row in ROWS]
    assert found == [{**row, "tokens": tokens} for row, tokens in zip(ROWS, text, strict=True)]


def test_what_others_write_is_read_in_any_width_of_integers(tmp_path):
    table = pyarrow.table({"more": [1], "tag_ids": [[0, 1, 2]], "tokens": [["a", "b", "c"]]})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    (found,) = read_parquet(tmp_path / "x.parquet", ("tokens", "tag_ids"))
    assert found.to_pylist() == [{"tokens": ["a", "b", "c"], "tag_ids": [0, 1, 2]}]
    assert found.schema.field("tag_ids").type == pyarrow.list_(pyarrow.int32())


def test_rows_come_and_go_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 3)
    path = write(tmp_path / "x.parquet", [ROWS[0], ROWS[1]] * 4)
    assert pyarrow.parquet.ParquetFile(path).metadata.num_row_groups == 3
    tables = list(read_parquet(path, ("word_ids",)))
    assert max(map(len, tables)) <= 3
    assert pyarrow.concat_tables(tables)["word_ids"].to_pylist() == [[2, 7], [1]] * 4


def test_a_file_without_rows_has_its_columns(tmp_path):
    path = write(tmp_path / "x.parquet", [])
    assert pyarrow.parquet.read_schema(path).names == list(NAMES)
    assert list(read_parquet(path, NAMES)) == []


def test_rows_are_counted():
    assert write_parquet(io.BytesIO(), iter(map(row_of, ROWS)), NAMES) == 2


def test_a_missing_column_is_named_with_those_expected_and_received(tmp_path):
    path = write(tmp_path / "x.parquet", ROWS, ("tokens", "word_ids"))
    assert complaint(path) == (
        f"{path}, column 'tag_ids': expected the columns tokens, word_ids, tag_ids, char_ids, "
        "char_counts. Received: tokens, word_ids"
    )


@pytest.mark.parametrize(
    ("values", "received"), [([0.5], "list<element: double>"), ([["x"]], "list<element: list<")]
)
def test_a_column_of_another_kind_is_named(tmp_path, values, received):
    table = pyarrow.table({"tag_ids": [values]})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    assert complaint(tmp_path / "x.parquet", ("tag_ids",)).startswith(
        f"{tmp_path}/x.parquet, column 'tag_ids': expected list<item: int32>. Received: {received}"
    )


@pytest.mark.parametrize("values", [[[1], None], [[1], [2, None]]])
def test_a_null_is_named(tmp_path, values):
    pyarrow.parquet.write_table(pyarrow.table({"tag_ids": values}), tmp_path / "x.parquet")
    assert complaint(tmp_path / "x.parquet", ("tag_ids",)) == (
        f"{tmp_path}/x.parquet, column 'tag_ids', from row 1 on: expected lists without nulls. "
        "Received: null"
    )


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(packed(ROWS)[:-20])
    assert complaint(path).startswith(
        f"{path}, from row 1 on: expected an intact Parquet file. Received: Parquet magic bytes "
        "not found in footer."
    )


def test_a_changed_byte_of_a_page_is_noticed_with_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2)
    whole = packed(ROWS * 2)
    path = tmp_path / "x.parquet"
    path.write_bytes(whole)
    column = pyarrow.parquet.ParquetFile(path).metadata.row_group(1).column(3)
    end = column.dictionary_page_offset + column.total_compressed_size
    for position in range(end - 10, end):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 255]) + whole[position + 1 :])
        assert complaint(path).startswith(
            f"{path}, from row 3 on: expected an intact Parquet file. Received: "
        )


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_parquet(tmp_path / "none.parquet", NAMES))


def test_both_formats_hold_the_same_sentences_in_the_same_order(prepared):
    for split in SPLITS:
        one, other = (list(read_sentences(folder, split)) for folder in prepared.values())
        assert one == other


def test_both_formats_hold_the_same_features(prepared):
    from tensorflow.train import Example

    from seqnlp.records import read_tfrecord

    one, other = (read_manifest(folder) for folder in prepared.values())
    for records, rows in zip(one.shards("train"), other.shards("train"), strict=True):
        rows = [row for table in read_parquet(rows, NAMES) for row in table.to_pylist()]
        for payload, row in zip(read_tfrecord(records), rows, strict=True):
            features = Example.FromString(payload).features.feature
            tokens = [token.decode() for token in features["tokens"].bytes_list.value]
            numbers = {name: list(features[name].int64_list.value) for name in NAMES[1:]}
            assert row == {"tokens": tokens, **numbers}


def test_the_manifests_differ_in_format_version_and_shards_alone(prepared):
    one, other = (read_manifest(folder).content for folder in prepared.values())
    for content in (one, other):
        content.pop("shards")
        content["options"].pop("output_format")
        content["versions"].pop("pyarrow", None)
    assert one == other


@pytest.fixture
def copied(prepared, tmp_path):
    return shutil.copytree(prepared["parquet"], tmp_path / "out")


def refusal(folder):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_manifest(folder)
    return str(caught.value)


def checksums(data):
    return f"{len(data)} bytes with SHA-256 {hashlib.sha256(data).hexdigest()}"


def test_a_truncated_shard_is_named_with_its_damage(copied):
    path = copied / SHARD
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert refusal(copied) == (
        f"{path}: expected {checksums(whole)}. Received: {checksums(whole[:-100])}. First damage: "
        f"{complaint(path)} Run the preparation again."
    )


def test_a_shard_of_other_columns_is_named_with_them(copied):
    path = copied / SHARD
    whole = path.read_bytes()
    write(path, ROWS, NAMES[:2])
    assert refusal(copied) == (
        f"{path}: expected {checksums(whole)}. Received: {checksums(path.read_bytes())}. First "
        f"damage: {path}, column 'tag_ids': expected the columns tokens, word_ids, tag_ids, "
        "char_ids, char_counts. Received: tokens, word_ids. Run the preparation again."
    )


def test_a_shard_that_differs_without_damage_is_named(copied):
    write(copied / SHARD, ROWS)
    assert "First damage" not in refusal(copied)


def test_files_of_the_other_format_are_named(copied, prepared):
    path = copied / SHARD
    other = SHARD.replace(".parquet", ".tfrecord.gz")
    shutil.copy(f"{prepared['tfrecord']}/{other}", copied / other)
    path.unlink()
    assert refusal(copied) == (
        f"{path}: expected the file that manifest.json lists. Received: {copied}/{other}. "
        "Run the preparation again."
    )


@pytest.mark.parametrize("stated", ["tfrecord", "avro"])
def test_a_manifest_that_says_another_format_is_refused(copied, stated):
    path = copied / "manifest.json"
    content = json.loads(path.read_text())
    content["options"]["output_format"] = stated
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        tagging_batches(copied, "train", 4)
    first = "Split-eval/examples-00000-of-00001.parquet"
    shard = f" and {first}" if stated == "tfrecord" else ""
    assert str(caught.value) == (
        f"{path}: expected a manifest of prepared examples; run the preparation again. "
        f"Received: ValueError: output_format {stated!r}{shard}"
    )
