"""Pictures of what a model learned."""

try:
    import matplotlib.figure
except ImportError as error:
    raise ImportError('seqnlp.plot needs matplotlib: pip install "seqnlp[plot]"') from error

from seqnlp.plot.attention import attention, heads
from seqnlp.plot.curves import curves
from seqnlp.plot.embedding_map import embedding_map
from seqnlp.plot.files import png
from seqnlp.plot.matrices import confusion, transitions
from seqnlp.plot.places import places

__all__ = [
    "attention",
    "confusion",
    "curves",
    "embedding_map",
    "heads",
    "places",
    "png",
    "transitions",
]
