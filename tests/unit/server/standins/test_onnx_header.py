"""Versions read from an ONNX file's first and last fields."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from builder.server.standins import onnx_header


@pytest.mark.parametrize(("opset", "ir"), [(17, 8), (22, 10), (300, 200)])
def test_the_stamps_are_read_past_a_graph_of_any_size(tmp_path: Path, opset: int, ir: int) -> None:
    """Opset of ai.onnx and IR version come back as onnx wrote them, whatever other domains there are."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1000], [0.5] * 1000)
    graph = helper.make_graph([], "g", [], [], [weight])
    opsets = [
        helper.make_opsetid("com.microsoft", 1),
        helper.make_opsetid("", opset),
        helper.make_opsetid("my.dom", 3),
    ]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=ir), tmp_path / "model.onnx")

    assert onnx_header.read(tmp_path / "model.onnx") == (ir, opset)


def test_a_file_that_is_no_model_is_not_read_as_one(tmp_path: Path) -> None:
    """Bytes that no protobuf message starts with are an error, not a version."""
    (tmp_path / "model.onnx").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=r"ends inside a number|not an ONNX file"):
        onnx_header.read(tmp_path / "model.onnx")
