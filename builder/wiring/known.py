"""What is known of a model that is a step: all of it once it is built, less while only trb.yaml is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.pbtxt.schema import schema
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Backend, Model, axes, axis_range, has_batch_axis
from builder.spec.record import VersionRecord
from builder.spec.tensors import Dim, Signature, Tensor

_PLATFORMS: Final = {"onnxruntime_onnx": "onnxruntime", "pytorch_libtorch": "pytorch"}
"""The backend of a config.pbtxt that names a platform alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A tensor of a model as far as it is known."""

    dtype: DType | None = None
    shape: tuple[Dim, ...] | None = None
    """Full shape, batch axis included."""
    range: tuple[float, float] | None = None
    """Smallest and largest value that clients may send, where an entry of trb.yaml tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model as its neighbours in a pipeline see it."""

    backend: str
    """Triton's; `ensemble` for a pipeline."""
    inputs: Mapping[str, Face]
    outputs: Mapping[str, Face]
    is_whole: bool = True
    """Whether it has these outputs and no others; those of an nn.Module are found when it runs."""
    max_batch_size: int | None = None
    """0: it does not batch; None: not known before it is built."""
    batch_axis: str = "batch"
    """The name of the batch axis in its shapes."""
    axes: Mapping[str, Axis] = field(default_factory=dict)
    """The sizes of its other dynamic axes, where they are known."""


def of_spec(model: Model, backend: Backend) -> Known:
    """Return what trb.yaml says of one of its models."""
    outputs = {name: Face() for name in model.output_names}
    outputs |= {name: Face(dtype=one.dtype, shape=one.shape) for name, one in model.outputs.items()}
    batch = model.batching.axis
    batches = has_batch_axis(model) and model.batching.enabled is not False
    return Known(
        backend=backend.triton,
        inputs={
            name: Face(dtype=one.dtype, shape=one.shape, range=one.range)
            for name, one in model.inputs.items()
        },
        outputs=outputs,
        is_whole=bool(model.output_names) or backend is Backend.PYTHON,
        max_batch_size=axis_range(model, batch).max if batches else 0,
        batch_axis=batch,
        axes={axis: model.dims[axis] for axis in axes(model) if axis in model.dims and axis != batch},
    )


def of_record(record: VersionRecord, model: Model | None) -> Known:
    """Return all there is to know of a version that trb published.

    Args:
        record: the version's.
        model: its entry in trb.yaml; None: it has none, or is a pipeline.
    """
    batch = model.batching.axis if model is not None else _first_axis(record.signature)
    return Known(
        backend=record.backend,
        inputs=_faces(record.signature.inputs),
        outputs=_faces(record.signature.outputs),
        max_batch_size=record.batch.max_batch_size,
        batch_axis=batch,
        axes={
            axis: limits
            for axis, limits in (model.dims if model is not None else {}).items()
            if axis != batch
        },
    )


def of_config(config: Any) -> Known:
    """Return what the config.pbtxt of a model that trb did not make says, a ModelConfig message."""
    batch = ("batch",) if config.max_batch_size else ()
    return Known(
        backend=config.backend or _PLATFORMS.get(config.platform, config.platform),
        inputs={one.name: _face(one, batch) for one in config.input},
        outputs={one.name: _face(one, batch) for one in config.output},
        max_batch_size=config.max_batch_size,
    )


def _faces(tensors: tuple[Tensor, ...]) -> Mapping[str, Face]:
    return {one.name: Face(dtype=one.dtype, shape=one.shape) for one in tensors}


def _face(tensor: Any, batch: tuple[str, ...]) -> Face:
    dims = tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims
    named = (f"{tensor.name}_dim{place}" if dim < 0 else int(dim) for place, dim in enumerate(dims))
    kind = schema().DataType.Name(tensor.data_type)  # raises ValueError for a number that is none
    dtype = next((one for one in DType if one.triton == kind), None)
    return Face(dtype=dtype, shape=(*batch, *named))


def _first_axis(signature: Signature) -> str:
    firsts = (tensor.shape[0] for tensor in signature.inputs if tensor.shape)
    return next((first for first in firsts if isinstance(first, str)), "batch")
