"""Exported files, run in-process."""

import ml_dtypes
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from builder.errors import ExportError
from builder.runtimes import as_tensor, open_file, open_onnx, open_session, open_torchscript
from builder.spec.dtypes import DType
from builder.spec.project import Backend
from builder.spec.tensors import Signature, Tensor


def identity(path, kind: int) -> None:
    """Write an ONNX file that returns its input `x` as `y`."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "identity",
        [helper.make_tensor_value_info("x", kind, ["n"])],
        [helper.make_tensor_value_info("y", kind, ["n"])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


def signature(*names: str) -> Signature:
    tensors = {name: Tensor(name=name, dtype=DType.FP32, shape=("batch", 2)) for name in names}
    return Signature(
        inputs=tuple(t for n, t in tensors.items() if n.startswith("in")),
        outputs=tuple(t for n, t in tensors.items() if n.startswith("out")),
    )


@pytest.mark.parametrize("optimised", [True, False])
def test_strings_go_through_onnx_as_bytes(optimised, tmp_path) -> None:
    """Bytes in, the same bytes out, beyond ASCII too."""
    identity(tmp_path / "m.onnx", TensorProto.STRING)
    words = np.array([b"a", "Grüße".encode(), b""], dtype=object)
    got = open_onnx(tmp_path / "m.onnx", threads=1, optimised=optimised)({"x": words})

    assert got["y"].tolist() == words.tolist()


@pytest.mark.parametrize("count", [0, 3])
def test_bf16_goes_through_onnx(count, tmp_path) -> None:
    """bf16, which numpy lacks, comes back with its values and its type."""
    identity(tmp_path / "m.onnx", TensorProto.BFLOAT16)
    values = np.arange(count).astype(ml_dtypes.bfloat16)
    got = open_onnx(tmp_path / "m.onnx", threads=1)({"x": values})["y"]

    assert got.dtype == ml_dtypes.bfloat16
    assert got.tolist() == values.tolist()


def test_torchscript_takes_inputs_in_signature_order_and_names_outputs(tmp_path) -> None:
    """The feed's own order does not matter."""

    class Parts(torch.nn.Module):
        def forward(self, a, b):
            return a - b, b

    pair = torch.ones(1, 2)
    torch.jit.save(torch.jit.trace(Parts(), (pair, pair)), tmp_path / "m.pt")
    run = open_torchscript(tmp_path / "m.pt", signature("in_a", "in_b", "out_a", "out_b"), threads=1)
    got = run({"in_b": np.full((3, 2), 2, np.float32), "in_a": np.full((3, 2), 5, np.float32)})

    assert got["out_a"].tolist() == [[3.0, 3.0]] * 3
    assert got["out_b"].tolist() == [[2.0, 2.0]] * 3


def test_torchscript_does_not_write_into_its_feed(tmp_path) -> None:
    """A model that works in place leaves the caller's array alone."""

    class Doubles(torch.nn.Module):
        def forward(self, x):
            return x.mul_(2)

    torch.jit.save(torch.jit.script(Doubles()), tmp_path / "m.pt")
    feed = {"in": np.ones((1, 2), np.float32)}
    open_torchscript(tmp_path / "m.pt", signature("in", "out"), threads=1)(feed)

    assert feed["in"].tolist() == [[1.0, 1.0]]


def test_another_number_of_outputs_than_the_signature_is_an_error(tmp_path) -> None:
    """A file with one output does not pass for two."""
    torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.ones(1, 2)), tmp_path / "m.pt")
    run = open_torchscript(tmp_path / "m.pt", signature("in", "out_a", "out_b"), threads=1)

    with pytest.raises(ExportError, match="returns 1 outputs, but its signature has 2"):
        run({"in": np.ones((1, 2), np.float32)})


@pytest.mark.parametrize("backend", [Backend.ONNX, Backend.TORCHSCRIPT])
def test_a_broken_file_is_an_error_with_its_name(backend, tmp_path) -> None:
    """Neither runtime's own exception comes through."""
    (tmp_path / backend.filename).write_bytes(b"no model")

    with pytest.raises(ExportError, match=backend.filename):
        open_file(backend, tmp_path / backend.filename, signature("in", "out"), threads=1)


def test_bf16_becomes_a_tensor() -> None:
    """torch gets bf16 arrays by value."""
    tensor = as_tensor(np.array([1.5, -2.0], dtype=ml_dtypes.bfloat16))

    assert tensor.dtype is torch.bfloat16
    assert tensor.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("dtype", list(DType))
def test_onnx_runtime_names_the_type_as_the_table_says(dtype, tmp_path) -> None:
    """`DType.onnxruntime` is what a session calls a tensor of that type, and reads back as it."""
    identity(tmp_path / "m.onnx", dtype.onnx)
    named = open_session(tmp_path / "m.onnx", threads=1).get_inputs()[0].type

    assert named == dtype.onnxruntime
    assert DType.from_onnxruntime(named) is dtype
