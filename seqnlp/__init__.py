"""seqnlp: sequence models on text with Keras, from a corpus file to a served model."""
