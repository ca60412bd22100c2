"""What the tests of clients share: a hand-made export, asked itself and through a server."""

import copy
import functools
import importlib

import pytest

from serving import client_check
from serving.cases import make_case, to_values
from serving.double_process import running_double


def case_maker(folder):
    """Function of a signature and its inputs that makes the case of what the export answers."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures

    def case(signature, **inputs):
        function = signatures[signature]
        specs = function.structured_input_signature[1]
        tensors = {
            name: tf.constant(to_values(value), specs[name].dtype)
            for name, value in inputs.items()
        }
        outputs = {name: tensor.numpy() for name, tensor in function(**tensors).items()}
        return make_case(signature, inputs, outputs)

    return case


def served(made, name, client_class):
    """Fixtures for a module of tests, to be bound there under the names they have here.

    Args:
        made: Name of the module whose `save` writes the export.
        name: Name of the model.
        client_class: Class of the client, in the file of its command.

    Returns:
        `folder` of the export; `double`, which serves it; `client`, which asks that; `run`, the
        command asking it; `difference`, see `_difference`.
    """

    @pytest.fixture(scope="module")
    def folder(tmp_path_factory):
        folder = tmp_path_factory.mktemp("models") / name / "1"
        importlib.import_module(made).save(folder)
        return folder

    @pytest.fixture(scope="module")
    def double(folder):
        with running_double(folder.parent, name) as running:
            yield running

    @pytest.fixture(scope="module")
    def client(double):
        return client_class("127.0.0.1", double.rest_port, name)

    @pytest.fixture
    def run(run_client, double):
        command = f"{client_class.__module__.removeprefix('serving.')}.py"
        return functools.partial(run_client, command, "--port", double.rest_port)

    @pytest.fixture(scope="module")
    def difference(double):
        server = {"host": "127.0.0.1", "port": double.rest_port, "model_name": name}
        return functools.partial(_difference, server)

    return folder, double, client, run, difference


def _difference(server, cases, signature, name, place):
    """What the check says where the first case of a signature expects "wrong" at a place."""
    wrong = copy.deepcopy(next(case for case in cases if case["signature"] == signature))
    row = wrong["outputs"][name]
    for index in place[:-1]:
        row = row[index]
    row[place[-1]] = "wrong"
    ((case, found),) = client_check.differences(server, [wrong])
    assert case == wrong
    return found
