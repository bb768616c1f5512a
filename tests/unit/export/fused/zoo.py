"""Small pipelines, their files, and what the steps answer one after another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from builder.export import torch_zip
from builder.runtimes import open_file
from builder.spec.dtypes import DType
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend
from builder.spec.tensors import Dim, Signature, Tensor


def tensor(name: str, *shape: Dim, dtype: str = "fp32") -> Tensor:
    """Say a tensor in few words."""
    return Tensor(name=name, dtype=DType(dtype), shape=shape)


def step(
    model: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    *,
    name: str = "",
    reads: Mapping[str, str] | None = None,
    gives: Mapping[str, str] | None = None,
    backend: str = "onnxruntime",
    batch: int = 8,
) -> WiredStep:
    """Return a step; `reads` and `gives` name the pipeline's tensors where they are not the model's."""
    reads, gives = reads or {}, gives or {}
    return WiredStep(
        name=name or model,
        model=model,
        backend=backend,
        signature=Signature(inputs=tuple(inputs), outputs=tuple(outputs)),
        max_batch_size=batch,
        inputs={one.name: reads.get(one.name, one.name) for one in inputs},
        outputs={one.name: gives.get(one.name, one.name) for one in outputs if gives.get(one.name) != ""},
    )


def row(model: str, takes: str, makes: str, **options: Any) -> WiredStep:
    """Return a step from tensors [batch, 4] to tensors [batch, 4], both several words."""
    return step(
        model,
        [tensor(name, "batch", 4) for name in takes.split()],
        [tensor(name, "batch", 4) for name in makes.split()],
        **options,
    )


def pipeline(inputs: str, steps: Sequence[WiredStep], outputs: str, name: str = "whole") -> Wired:
    """Wire `steps`; a tensor is as the first step has it."""
    tensors: dict[str, Tensor] = {}
    for one in steps:
        for own, outer in ((one.signature.inputs, one.inputs), (one.signature.outputs, one.outputs)):
            for seen in own:
                if (called := outer.get(seen.name)) is not None and called not in tensors:
                    tensors[called] = Tensor(name=called, dtype=seen.dtype, shape=seen.shape)
    return Wired(
        name=name,
        steps=tuple(steps),
        inputs=tuple(inputs.split()),
        outputs=tuple(outputs.split()),
        tensors=tensors,
        max_batch_size=min(one.max_batch_size for one in steps),
    )


def onnx_file(
    folder: Path,
    text: str,
    weights: Mapping[str, Any] | None = None,
    *,
    opset: int = 18,
    ir: int = 8,
    domains: str = "",
) -> Path:
    """Write `folder/model.onnx`: the graph in ONNX's text form, and `weights` as its initializers."""
    proto = onnx.parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}{domains}]>\n{text}')
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    return folder / "model.onnx"


def torch_file(folder: Path, module: torch.nn.Module) -> Path:
    """Write `module`, scripted and frozen, to `folder/model.pt`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch_zip.save(torch.jit.freeze(torch.jit.script(module.eval())), folder / "model.pt")
    return folder / "model.pt"


def composed(wired: Wired, files: Mapping[str, Path], feed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what clients get when the steps run one after another, each from its own file."""
    values = dict(feed)
    for one in wired.steps:
        path = files[one.model]
        backend = next(member for member in Backend if member.filename == path.name)
        run = open_file(backend, path, one.signature, threads=1)
        answer = run({own: values[outer] for own, outer in one.inputs.items()})
        values.update({outer: answer[own] for own, outer in one.outputs.items()})
    return {name: values[name] for name in wired.outputs}


def assert_same(got: Mapping[str, Any], want: Mapping[str, Any]) -> None:
    """Compare answers to 1e-6, and their shapes and dtypes exactly."""
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].dtype == value.dtype
        np.testing.assert_allclose(got[name], value, rtol=1e-6, atol=1e-6)
        assert got[name].shape == value.shape


def rows(*shape: int, seed: int = 0) -> Any:
    """Return random numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
