import shutil

import pytest
from tensorflow.core.protobuf import saved_model_pb2

from serving import op_check


@pytest.fixture
def altered(export, tmp_path):
    """Return a copy of the export whose CaseFoldUTF8 is an op that nobody knows."""
    folder = tmp_path / "tagger"
    shutil.copytree(export, folder)
    path = folder / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "CaseFoldUTF8":
                node.op = "NoSuchOp"
    path.write_bytes(proto.SerializeToString())
    return folder


def test_an_export_of_known_ops_passes(export):
    assert op_check.unsupported_ops(export) == []


def test_an_unknown_op_is_found_in_its_function(altered):
    found = op_check.unsupported_ops(altered)
    assert {op for op, _ in found} == {"NoSuchOp"}
    assert any(
        where.startswith("saved_model.pb: function __inference_plain") for _, where in found
    )
    assert found == sorted(found)


def test_tf_text_ops_are_unknown_to_the_core_list(export):
    found = op_check.unsupported_ops(export, op_check.LISTS[:1])
    assert {op for op, _ in found} == {"CaseFoldUTF8"}


def test_ops_of_the_top_graph_are_checked(export, tmp_path):
    empty = tmp_path / "none.txt"
    empty.touch()
    assert ("VarHandleOp", "saved_model.pb: graph") in op_check.unsupported_ops(export, [empty])


def test_exports_below_the_folder_are_checked(altered):
    assert op_check.unsupported_ops(altered.parent)[0][1].startswith("tagger/saved_model.pb: ")


def test_the_lists_hold_what_2_20_registers():
    core, text = (op_check.known_ops([path]) for path in op_check.LISTS)
    assert len(text) == 38
    assert {"FastWordpieceTokenizeWithOffsets", "NormalizeUTF8WithOffsetsMap"} <= text
    assert {"MatMul", "While", "LookupTableFindV2", "UnicodeDecodeWithOffsets"} <= core
    assert not core & text


def test_a_folder_without_an_export_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"Received: export_folder={tmp_path}"):
        op_check.unsupported_ops(tmp_path)


def test_a_damaged_export_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match=f"{tmp_path}/saved_model.pb cannot be read"):
        op_check.unsupported_ops(tmp_path)


def test_the_program_names_the_op(altered, export, tmp_path, capsys):
    assert op_check.main([str(altered)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("NoSuchOp is not in TensorFlow Serving 2.20 (saved_model.pb: function")
    assert op_check.main([str(export)]) == 0
    assert op_check.main([str(tmp_path / "none")]) == 1
    assert op_check.main([]) == 2
