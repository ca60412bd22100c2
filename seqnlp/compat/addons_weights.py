"""Reads the weights of `tfa.layers.CRF` from files, without TensorFlow Addons.

A file is read into a dict of layers, each a dict of float arrays under the names of Addons:
`chain_kernel (tags, tags)`, `left_boundary` and `right_boundary (tags,)` where the layer used
boundaries, `kernel (units, tags)` and `bias (tags,)` where it had a projection of its own.
"""

import io
import pathlib
import re
import zipfile

BOUNDARIES = ("left_boundary", "right_boundary")
PROJECTION = ("kernel", "bias")


def read_layers(path):
    """All CRF layers in a file or folder, by name.

    Args:
        path: A TensorFlow checkpoint (the part of its files' names before `.index`), a
            SavedModel's folder, an `.h5`, `.weights.h5` or `.keras` file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, or holds no CRF layer.
    """
    path = pathlib.Path(path)
    if path.suffix in (".h5", ".hdf5") and path.is_file():
        layers = _read_hdf5(path, path)
    elif path.suffix == ".keras" and path.is_file():
        layers = _read_keras(path)
    else:
        layers = _read_checkpoint(path, _checkpoint_prefix(path))
    if not layers:
        raise ValueError(f"{path} must hold the weights of a tfa.layers.CRF, but holds none.")
    return layers


def _checkpoint_prefix(path):
    """What TensorFlow calls a checkpoint: the part of the names that its files share."""
    saved_model = path / "variables" / "variables"
    prefix = saved_model if path.is_dir() else path.with_name(path.name.removesuffix(".index"))
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        raise FileNotFoundError(
            f"{path} must be a checkpoint (there is no {prefix}.index), a SavedModel's folder, "
            "an .h5 or a .keras file."
        )
    return prefix


def _read_checkpoint(path, prefix):
    """Layers by the names that lead to them in the graph of objects which a checkpoint holds."""
    try:
        import tensorflow as tf
        from tensorflow.core.protobuf import trackable_object_graph_pb2
    except ImportError as error:
        raise ImportError(
            'reading a TensorFlow checkpoint needs tensorflow: pip install "seqnlp[tensorflow]"'
        ) from error
    try:
        checkpoint = tf.train.load_checkpoint(str(prefix))
        graph = checkpoint.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
        nodes = trackable_object_graph_pb2.TrackableObjectGraph.FromString(graph).nodes
        layers = {}
        for name, node in _named_nodes(nodes):
            variables = {child: nodes[at] for child, at in _children(node).items()}
            if "chain_kernel" in variables:
                if "_dense_layer" in variables:
                    projection = _children(variables["_dense_layer"])
                    variables |= {child: nodes[at] for child, at in projection.items()}
                layers[name] = {
                    variable: checkpoint.get_tensor(
                        variables[variable].attributes[0].checkpoint_key
                    )
                    for variable in ("chain_kernel", *BOUNDARIES, *PROJECTION)
                    if variable in variables
                }
    except (tf.errors.OpError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as a TensorFlow checkpoint: {error}") from error
    return layers


def _children(node):
    return {child.local_name: child.node_id for child in node.children}


def _named_nodes(nodes):
    """`(shortest path, node)` of each object, from the root down."""
    names = {0: ""}
    queue = [0]
    for at in queue:
        yield names[at], nodes[at]
        for local_name, child in _children(nodes[at]).items():
            if child not in names:
                names[child] = f"{names[at]}/{local_name}".removeprefix("/")
                queue.append(child)


def _read_keras(path):
    try:
        with zipfile.ZipFile(path) as archive:
            weights = io.BytesIO(archive.read("model.weights.h5"))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path} cannot be read as a .keras file: {error}") from error
    return _read_hdf5(path, weights)


def _read_hdf5(path, file):
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            if "layers" in opened or "_layer_checkpoint_dependencies" in opened:
                return _keras_3_layers(opened)
            return _keras_2_layers(opened.get("model_weights", opened))
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an HDF5 file: {error}") from error


def _keras_2_layers(groups):
    """Layers of an `.h5` file: a group a layer, whose attribute `weight_names` gives the order."""
    layers = {}
    for group in groups.values():
        names = [_text(name) for name in group.attrs.get("weight_names", ())]
        for first, name in enumerate(names):
            head, _, leaf = name.rpartition("/")
            if leaf.split(":")[0] == "chain_kernel":
                names_of_layer = _of_one_layer(names[first:])
                layer = "/".join(filter(None, [group.name.rpartition("/")[2], head]))
                layers[layer] = {key: group[full][()] for key, full in names_of_layer.items()}
    return layers


def _of_one_layer(names):
    """Of weights in order, the first a `chain_kernel`, those of its layer, by attribute.

    The layer's own projection lies in a scope of the layer, a dense layer after it does not.
    """
    found = {"chain_kernel": names[0]}
    rest = names[1:]
    for expected in (*BOUNDARIES, *PROJECTION):
        if rest and rest[0].rpartition("/")[2].split(":")[0] == expected:
            if expected == "kernel" and rest[0].count("/") < 2:
                break
            found[expected] = rest.pop(0)
    return found


def _keras_3_layers(file):
    """Layers of a `.weights.h5` file: groups with numbered variables, under their class's name.

    A CRF is known by its projection `_dense_layer`, or by a name such as `crf` or `crf_1`.
    """
    import h5py

    layers = {}

    def visit(name, group):
        if not isinstance(group, h5py.Group) or "vars/0" not in group:
            return
        leaf = name.rpartition("/")[2]
        if "_dense_layer" in group or re.fullmatch(r"(.*_)?crf(_.*)?", leaf):
            variables = dict(zip(("chain_kernel", *BOUNDARIES), _in_order(group), strict=False))
            if "_dense_layer" in group:
                projection = _in_order(group["_dense_layer"])
                variables |= dict(zip(PROJECTION, projection, strict=False))
            layers[name] = variables

    file.visititems(visit)
    return layers


def _in_order(group):
    variables = group["vars"]
    return [variables[str(at)][()] for at in range(len(variables))]


def _text(name):
    return name.decode() if isinstance(name, bytes) else name
