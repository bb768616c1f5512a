"""What the config is made from, without a model."""

from pathlib import Path
from typing import Any

from builder.spec.artifact import Artifact, BatchProof, Provenance
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, Fingerprint, Loaded
from builder.spec.project import Axis, Backend, Batching, Input, Instances, Model
from builder.spec.tensors import Signature, Tensor

ONNX, TORCHSCRIPT = Backend.ONNX, Backend.TORCHSCRIPT
Shapes = dict[str, tuple[DType, tuple[int | str, ...]]]


def tensors(shapes: Shapes) -> tuple[Tensor, ...]:
    return tuple(Tensor(name=name, dtype=dtype, shape=shape) for name, (dtype, shape) in shapes.items())


def loaded(inputs: Shapes, outputs: Shapes, *, samples: Feed | None = None, **model: Any) -> Loaded:
    given = {
        name: Input(dtype=dtype, shape=shape, range=(0, 9) if dtype.is_integer else None)
        for name, (dtype, shape) in inputs.items()
    }
    return Loaded(
        name="m",
        model=Model(source="a:b", inputs=given, **{"dims": {"batch": Axis(max=8)}, **model}),
        kind="module",
        signature=Signature(inputs=tensors(inputs), outputs=tensors(outputs)),
        reference=dict,
        reference_name="eager PyTorch",
        samples=samples,
        provenance=Provenance(source="a:b", source_sha256="", weights_sha256=""),
        fingerprint=Fingerprint(entry_sha256="", files={}, packages={}),
    )


def artifact(one: Loaded, backend: Backend = ONNX, folder: Path = Path("version")) -> Artifact:
    return Artifact(backend=backend, folder=folder, exporter="torch.export", signature=one.signature)


def proof(max_batch_size: int) -> BatchProof:
    return BatchProof(max_batch_size=max_batch_size, reason="as the test says", sizes=())


IMAGE: Shapes = {"image": (DType.FP32, ("batch", 1, 8, 8))}
SCORES: Shapes = {"scores": (DType.FP32, ("batch", 10)), "digit": (DType.INT64, ("batch",))}
TEXT: Shapes = {"ids": (DType.INT64, ("batch", "seq")), "mask": (DType.INT64, ("batch", "seq"))}
STATES: Shapes = {"state": (DType.FP32, ("batch", "seq", 16))}

__all__ = [
    "IMAGE",
    "ONNX",
    "SCORES",
    "STATES",
    "TEXT",
    "TORCHSCRIPT",
    "Batching",
    "Instances",
    "artifact",
    "loaded",
    "proof",
]
