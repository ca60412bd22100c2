"""Vectors of texts, from a BERT in a graph."""

from seqnlp.layers import MeanPooling


def text_vectors(encoder, inputs):
    """What a text comes to.

    Args:
        encoder: `seqnlp.models.BERTEncoder`.
        inputs: Dict of `token_ids` and `segment_ids` int32 `(batch, time)`.

    Returns:
        Dict of `pooled` and `mean`, that of the tokens' states, specials among them, float32
        `(batch, units)`.
    """
    states = encoder(inputs, training=False)
    mean = MeanPooling()(states["tokens"], inputs["token_ids"] != 0)
    return {"pooled": states["pooled"], "mean": mean}
