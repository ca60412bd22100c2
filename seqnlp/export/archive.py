"""A model and its signatures on disk."""

import keras


def saved_model(model, text, path, signatures):
    """Writes a model as a SavedModel whose signatures take strings.

    Args:
        model: Built Keras model, on the TensorFlow backend.
        text: The `tf.Module` that turns strings into the model's inputs; its tables are kept.
        path: Folder to write: for TensorFlow Serving one named by a number, the version.
        signatures: Dict from name to `(function, input specs)`, the specs a list of
            `tf.TensorSpec` with names; the function returns a dict of tensors. One is named
            `serving_default`.

    Raises:
        ValueError: If there is no `serving_default`, or on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`model` must live on the tensorflow backend to become a SavedModel; a .keras file "
            "trained on another one can be loaded there. "
            f"Received: backend={keras.backend.backend()!r}"
        )
    if "serving_default" not in signatures:
        raise ValueError(
            "`signatures` must have one named 'serving_default'. "
            f"Received: signatures={sorted(signatures)}"
        )
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(text)
    for name, (function, specs) in signatures.items():
        archive.add_endpoint(name, function, input_signature=specs)
    archive.write_out(str(path), verbose=False)
