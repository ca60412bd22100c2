from seqnlp.records.batches import bucket_lengths, tagging_batches
from seqnlp.records.bert_tagging_batches import BERTTaggingBatches
from seqnlp.records.classification_batches import ClassificationBatches, classification_batches
from seqnlp.records.columns import (
    PART_COLUMNS,
    PRETRAINING_COLUMNS,
    QUESTION_COLUMNS,
    TRANSLATION_COLUMNS,
    classification_columns,
    example_columns,
    task_columns,
)
from seqnlp.records.manifest import (
    MANIFEST_FILE,
    OUTPUT_FORMATS,
    SPLITS,
    Manifest,
    read_manifest,
)
from seqnlp.records.parquet import import_pyarrow, read_parquet, write_parquet
from seqnlp.records.parquet_batches import ParquetBatches
from seqnlp.records.pretraining_batches import PretrainingBatches, pretraining_batches
from seqnlp.records.question_batches import QuestionBatches, question_batches
from seqnlp.records.questions import AskedQuestion, QuestionWindow, read_questions
from seqnlp.records.rows import ROWS, ParquetRows, TFRecordRows
from seqnlp.records.sentences import read_labelled_texts, read_labels, read_pairs, read_sentences
from seqnlp.records.spellings import distinct_spellings
from seqnlp.records.tfrecord import read_tfrecord, write_tfrecord
from seqnlp.records.translation_batches import TranslationBatches, translation_batches

__all__ = [
    "MANIFEST_FILE",
    "OUTPUT_FORMATS",
    "PART_COLUMNS",
    "PRETRAINING_COLUMNS",
    "QUESTION_COLUMNS",
    "ROWS",
    "SPLITS",
    "TRANSLATION_COLUMNS",
    "AskedQuestion",
    "BERTTaggingBatches",
    "ClassificationBatches",
    "Manifest",
    "ParquetBatches",
    "ParquetRows",
    "PretrainingBatches",
    "QuestionBatches",
    "QuestionWindow",
    "TFRecordRows",
    "TranslationBatches",
    "bucket_lengths",
    "classification_batches",
    "classification_columns",
    "distinct_spellings",
    "example_columns",
    "import_pyarrow",
    "pretraining_batches",
    "question_batches",
    "read_labelled_texts",
    "read_labels",
    "read_manifest",
    "read_pairs",
    "read_parquet",
    "read_questions",
    "read_sentences",
    "read_tfrecord",
    "tagging_batches",
    "task_columns",
    "translation_batches",
    "write_parquet",
    "write_tfrecord",
]
