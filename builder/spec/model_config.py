"""What config.pbtxt says, as a value. Field names are those of Triton's model_config.proto."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.spec.dtypes import DType


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigTensor:
    """An `input` or `output` of config.pbtxt: dims leave out the batch axis when max_batch_size is above 0."""

    name: str
    dtype: DType
    dims: tuple[int, ...]
    """-1 is a dynamic axis."""
    reshape: tuple[int, ...] | None = None
    """The shape the backend sees, without batch; () for an output that has only the batch axis."""
    label_filename: str = ""
    """The file in the model's folder with the names of its classes; an output's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmupInput:
    """One tensor of a warmup request."""

    dtype: DType
    dims: tuple[int, ...]
    """Without the batch axis; every dim fixed."""
    data_file: str | None = None
    """A file in the model's warmup folder, raw little-endian; None: zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmup:
    """One request run before the model is ready."""

    name: str
    batch_size: int
    inputs: Mapping[str, WarmupInput]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceGroup:
    """One `instance_group`."""

    kind: str
    """KIND_AUTO, KIND_CPU or KIND_GPU."""
    count: int
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicBatching:
    """The `dynamic_batching` block."""

    preferred_batch_size: tuple[int, ...] = ()
    max_queue_delay_microseconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleStep:
    """One `step` of `ensemble_scheduling`."""

    model_name: str
    model_version: int
    """-1: the newest that is served."""
    input_map: Mapping[str, str]
    """The ensemble's tensor by the model's."""
    output_map: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A whole config.pbtxt of ours."""

    name: str
    backend: str
    """onnxruntime, pytorch or python; empty for an ensemble."""
    platform: str = ""
    """`ensemble`, or nothing."""
    max_batch_size: int
    inputs: tuple[ConfigTensor, ...]
    outputs: tuple[ConfigTensor, ...]
    instance_group: tuple[InstanceGroup, ...] = ()
    dynamic_batching: DynamicBatching | None = None
    num_versions: int = 1
    """version_policy: latest { num_versions }."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    warmups: tuple[Warmup, ...] = ()
    steps: tuple[EnsembleStep, ...] = ()
    """Of an ensemble."""
