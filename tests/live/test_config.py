"""What we write as config.pbtxt is what a real Triton loads, its warmup included."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from builder import config
from builder.errors import ServerError
from builder.server import Serving, open_server
from builder.server.client import connected
from builder.spec.dtypes import DType
from builder.spec.loaded import Loaded
from builder.spec.project import Axis, Backend, Batching, Instances
from builder.spec.releases import release
from tests.unit.config.values import ONNX, TORCHSCRIPT, Shapes, artifact, loaded, proof

RELEASE = release("24.10")
ONNX_TYPES = {DType.FP32: TensorProto.FLOAT, DType.INT64: TensorProto.INT64, DType.STRING: TensorProto.STRING}
SEQ = {"batch": Axis(max=8), "seq": Axis(max=32)}


class Total(torch.nn.Module):
    """Sums each row; refuses a batch of `refused` rows."""

    def __init__(self, refused: int) -> None:
        super().__init__()
        self.refused = refused

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[0] != self.refused, "this many rows are too many"
        return x.sum(dim=1)


def lay_out(
    repository: Path, name: str, one: Loaded, backend: Backend, model: Any, *, max_batch_size: int = 8
) -> None:
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    model.save(folder / "1" / backend.filename) if backend is TORCHSCRIPT else onnx.save(
        model, folder / "1" / backend.filename
    )
    made = config.make(name, one, artifact(one, backend), proof(max_batch_size))
    config.write(made, one, into=folder)


def graph(one: Loaded, nodes: Sequence[Any], weights: Sequence[Any] = ()) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(t.name, ONNX_TYPES[t.dtype], t.shape) for t in side]
        for side in (one.signature.inputs, one.signature.outputs)
    )
    made = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def embedding(repository: Path) -> None:
    """Rows of a table of ten by id: any other id is refused."""
    ids: Shapes = {"ids": (DType.INT64, ("batch", "seq"))}
    one = loaded(ids, {"rows": (DType.FP32, ("batch", "seq", 4))}, dims=SEQ)
    table = numpy_helper.from_array(np.ones((10, 4), dtype=np.float32), "table")
    lay_out(
        repository,
        "embedding",
        one,
        ONNX,
        graph(one, [helper.make_node("Gather", ["table", "ids"], ["rows"])], [table]),
    )


def every_kind(repository: Path) -> None:
    embedding(repository)
    words = loaded({"words": (DType.STRING, ("batch", 2))}, {"same": (DType.STRING, ("batch", 2))})
    lay_out(
        repository, "words", words, ONNX, graph(words, [helper.make_node("Identity", ["words"], ["same"])])
    )
    best = loaded(
        {"scores": (DType.FP32, ("batch", 5))},
        {"best": (DType.INT64, ("batch",))},
        instances=Instances(count=2, kind="cpu"),
        batching=Batching(preferred_sizes=(2, 4)),
    )
    arg_max = helper.make_node("ArgMax", ["scores"], ["best"], axis=1, keepdims=0)
    lay_out(repository, "best", best, ONNX, graph(best, [arg_max]))
    whole = loaded({"x": (DType.FP32, (2, "n"))}, {"y": (DType.FP32, (2, "n"))}, dims={"n": Axis(max=6)})
    lay_out(
        repository,
        "whole",
        whole,
        ONNX,
        graph(whole, [helper.make_node("Neg", ["x"], ["y"])]),
        max_batch_size=0,
    )
    total(repository, refused=5)


LARGEST = 8


def total(repository: Path, *, refused: int) -> None:
    one = loaded({"x": (DType.FP32, ("batch", 3))}, {"total": (DType.FP32, ("batch",))})
    lay_out(repository, "total", one, TORCHSCRIPT, torch.jit.script(Total(refused)))


def test_every_kind_of_config_loads(tmp_path: Path) -> None:
    """Strings, ids, batch-only outputs and whole shapes load with their warmups, and a batch-only output answers."""
    every_kind(tmp_path / "models")

    with (
        open_server(
            "embedded", Serving(repository=tmp_path / "models", release=RELEASE, log_dir=tmp_path)
        ) as endpoint,
        connected(endpoint) as client,
    ):
        best = client.infer_grpc("best", 1, {"scores": np.eye(3, 5, dtype=np.float32)})

    assert best["best"].tolist() == [[0], [1], [2]]


@pytest.mark.parametrize("refused", [7, 8])
def test_the_largest_batch_runs_as_one_before_the_model_is_ready(tmp_path: Path, refused: int) -> None:
    """A model that refuses its largest batch does not get ready; one that refuses the batch below it does.

    The pair tells that the warmup is the cause: server 2.51 sometimes crashes, without the words, when the warmup of a
    Python-based backend fails.
    """
    total(tmp_path / "models", refused=refused)
    serving = Serving(repository=tmp_path / "models", release=RELEASE, log_dir=tmp_path)
    fails = pytest.raises(
        ServerError, match=r"this many rows are too many|ended with signal 11 while it loaded"
    )

    with contextlib.nullcontext() if refused != LARGEST else fails, open_server("embedded", serving):
        assert refused != LARGEST


def test_warmup_data_reaches_the_model(tmp_path: Path) -> None:
    """A model whose warmup data it refuses does not load: so the data is what warms it up."""
    embedding(tmp_path / "models")
    (data,) = (tmp_path / "models" / "embedding" / "warmup").iterdir()
    data.write_bytes(np.full(len(data.read_bytes()) // 8, 999, dtype=np.int64).tobytes())

    with (
        pytest.raises(ServerError, match="embedding"),
        open_server("embedded", Serving(repository=tmp_path / "models", release=RELEASE, log_dir=tmp_path)),
    ):
        pass
