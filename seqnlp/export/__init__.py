"""Models as SavedModels that take strings, for TensorFlow Serving."""

try:
    import tensorflow
except ImportError as error:
    raise ImportError(
        'seqnlp.export needs tensorflow: pip install "seqnlp[tensorflow]"'
    ) from error

from seqnlp.export.archive import saved_model
from seqnlp.export.classification import classification_signatures
from seqnlp.export.pretraining import pretraining_signatures
from seqnlp.export.question_answering import question_signatures
from seqnlp.export.tagging import tagging_signatures
from seqnlp.export.translation import translation_signatures
