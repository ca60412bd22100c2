from seqnlp.records.batches import bucket_lengths, tagging_batches
from seqnlp.records.manifest import (
    MANIFEST_FILE,
    OUTPUT_FORMATS,
    SPLITS,
    Manifest,
    read_manifest,
)
from seqnlp.records.parquet import (
    example_columns,
    import_pyarrow,
    read_parquet,
    write_parquet,
)
from seqnlp.records.parquet_batches import ParquetBatches
from seqnlp.records.rows import ROWS, ParquetRows, TFRecordRows
from seqnlp.records.sentences import read_labels, read_sentences
from seqnlp.records.spellings import distinct_spellings
from seqnlp.records.tfrecord import read_tfrecord, write_tfrecord

__all__ = [
    "MANIFEST_FILE",
    "OUTPUT_FORMATS",
    "ROWS",
    "SPLITS",
    "Manifest",
    "ParquetBatches",
    "ParquetRows",
    "TFRecordRows",
    "bucket_lengths",
    "distinct_spellings",
    "example_columns",
    "import_pyarrow",
    "read_labels",
    "read_manifest",
    "read_parquet",
    "read_sentences",
    "read_tfrecord",
    "tagging_batches",
    "write_parquet",
    "write_tfrecord",
]
