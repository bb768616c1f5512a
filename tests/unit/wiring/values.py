"""Models as their neighbours in a pipeline see them."""

from builder.config import make
from builder.spec.artifact import BatchProof, Provenance
from builder.spec.dtypes import DType
from builder.spec.model_config import ModelConfig
from builder.spec.project import Axis, Backend
from builder.spec.record import VersionRecord
from builder.spec.results import Hop
from builder.spec.tensors import Dim, Signature
from builder.wiring import Face, Known
from tests.unit.config.values import Shapes, artifact, loaded, proof, tensors


def record(
    inputs: Shapes, outputs: Shapes, max_batch_size: int, backend: Backend = Backend.ONNX
) -> VersionRecord:
    """Return what is written of a model's version."""
    return VersionRecord(
        model="m",
        backend=backend.triton,
        triton="24.10",
        exporter="torch.export",
        signature=Signature(inputs=tensors(inputs), outputs=tensors(outputs)),
        batch=BatchProof(max_batch_size=max_batch_size, reason="as the test says", sizes=()),
        provenance=Provenance(source="a:b", source_sha256="", weights_sha256=""),
        offline_parity=Hop(name="file", comparisons=()),
    )


Kind = tuple[DType, tuple[Dim, ...]]
FP32, INT64, STRING = DType.FP32, DType.INT64, DType.STRING


def known(
    inputs: Shapes,
    outputs: Shapes,
    *,
    batch: int | None = 8,
    batch_axis: str = "batch",
    backend: str = "onnxruntime",
    is_whole: bool = True,
    **most: int,
) -> Known:
    """Return what is known of a model; `most` has the largest sizes of its axes."""
    return Known(
        backend=backend,
        inputs=faces(inputs),
        outputs=faces(outputs),
        is_whole=is_whole,
        max_batch_size=batch,
        batch_axis=batch_axis,
        axes={axis: Axis(max=size) for axis, size in most.items()},
    )


def faces(tensors: Shapes) -> dict[str, Face]:
    """Return tensors that are known."""
    return {name: Face(dtype=dtype, shape=shape) for name, (dtype, shape) in tensors.items()}


def config_of(name: str, one: Known) -> ModelConfig:
    """Return the config of a model that is known."""
    inputs, outputs = ({n: _kind(face) for n, face in side.items()} for side in (one.inputs, one.outputs))
    made = loaded(inputs, outputs, warmup=False)
    return make(name, made, artifact(made), proof(one.max_batch_size or 0))


def _kind(face: Face) -> Kind:
    assert face.dtype is not None
    assert face.shape is not None
    return face.dtype, face.shape
