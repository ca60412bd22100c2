from seqnlp.records.batches import bucket_lengths, read_sentences, tagging_batches
from seqnlp.records.manifest import MANIFEST_FILE, SPLITS, Manifest, read_manifest
from seqnlp.records.tfrecord import read_tfrecord, write_tfrecord

__all__ = [
    "MANIFEST_FILE",
    "SPLITS",
    "Manifest",
    "bucket_lengths",
    "read_manifest",
    "read_sentences",
    "read_tfrecord",
    "tagging_batches",
    "write_tfrecord",
]
