"""An ONNX file loaded as the genuine backend loads it, where no server is needed to see it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from builder.server.standins import ort_model
from builder.server.standins.refused import LoadRefused
from builder.spec.releases import Release, release


def identity(folder: Path, *, kind: int = TensorProto.FLOAT, opset: int = 17, ir: int = 8) -> Path:
    io = [helper.make_tensor_value_info(name, kind, ["batch", 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [io[0]], [io[1]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def config(dtype: str = "TYPE_FP32", **more: Any) -> dict[str, Any]:
    tensors = [{"name": name, "data_type": dtype, "dims": [2]} for name in ("x", "y")]
    return {"name": "M", "max_batch_size": 4, "input": tensors[:1], "output": tensors[1:], **more}


def test_a_newer_runtime_refuses_by_the_targets_limits(tmp_path: Path) -> None:
    """Opset 22 runs here, but not in 24.10, whose limits are applied in ONNX Runtime's words."""
    path = identity(tmp_path, opset=22, ir=10)
    ort_model.load(config(), path, None)
    with pytest.raises(LoadRefused, match=r"domain ai\.onnx is till opset 21"):
        ort_model.load(config(), path, release("24.10"))


def test_a_newer_ir_is_refused_likewise(tmp_path: Path) -> None:
    """IR 11 is beyond 24.10."""
    with pytest.raises(LoadRefused, match="Unsupported model IR version: 11, max supported IR version: 10"):
        ort_model.load(config(), identity(tmp_path, ir=11), release("24.10"))


def test_strings_of_every_length_arrive_whole(tmp_path: Path) -> None:
    """An element as long as the longest is not read on into its neighbour."""
    model = ort_model.load(config("TYPE_STRING"), identity(tmp_path, kind=TensorProto.STRING), None)
    texts = np.array([[b"plain", "grün".encode()], [b"", b"b'0'"]], dtype=object)
    assert model.run({"x": texts})["y"].tolist() == [["plain", "grün"], ["", "b'0'"]]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"batch_input": [{"target_name": ["x"]}], "input": []}, "batch_input"),
        ({"batch_output": [{"target_name": ["y"]}]}, "batch_output"),
    ],
)
def test_what_a_python_backend_cannot_do_is_said(tmp_path: Path, more: dict[str, Any], what: str) -> None:
    """The stand-in never serves wrongly what only the genuine backend can do."""
    with pytest.raises(LoadRefused, match=f"does not carry {what}"):
        ort_model.load(config(**more), identity(tmp_path), None)


def test_bf16_is_refused_by_the_release_or_by_the_stand_in(tmp_path: Path) -> None:
    """Before 26.03 in the backend's words; from then on because Python cannot carry it."""
    path = identity(tmp_path, kind=TensorProto.BFLOAT16)
    newest = newest_release()
    for target, words in (
        (release("24.10"), "unsupported datatype TYPE_BF16"),
        (newest, "does not carry bfloat16"),
    ):
        with pytest.raises(LoadRefused, match=words):
            ort_model.load(config("TYPE_BF16"), path, target)


def newest_release() -> Release:
    from builder.spec.releases import releases

    return releases()[-1]
