"""What trb.yaml says. The docstring under a field is its entry in the reference and in the JSON Schema."""

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from builder.spec.dtypes import DType
from builder.spec.tensors import Dim, unique


class Backend(StrEnum):
    """How a model is exported, and which Triton backend serves it."""

    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"
    PYTHON = "python"
    ENSEMBLE = "ensemble"
    """Of pipelines alone, which have an entry of their own."""

    @property
    def triton(self) -> str:
        """The `backend` of config.pbtxt; `ensemble` stands for the platform of that name."""
        return {"onnx": "onnxruntime", "torchscript": "pytorch"}.get(self.value, self.value)

    @classmethod
    def of_triton(cls, backend: str) -> "Backend":
        """Return the member whose Triton backend is `backend`."""
        return next(member for member in cls if member.triton == backend)

    @property
    def filename(self) -> str:
        """The file Triton looks for in a version folder; of a pipeline, for which it looks for none, what we note."""
        return {
            "onnx": "model.onnx",
            "torchscript": "model.pt",
            "python": "model.py",
            "ensemble": "pipeline.json",
        }[self.value]

    @property
    def is_graph(self) -> bool:
        """Whether it serves a graph, which can be merged with its neighbours in a pipeline."""
        return self in (Backend.ONNX, Backend.TORCHSCRIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of the model."""

    dtype: DType
    """Element type: bool, uint8 ... uint64, int8 ... int64, fp16, bf16, fp32, fp64, string."""

    shape: tuple[Dim, ...]
    """Full shape, batch axis included. A number is fixed, a name is a dynamic axis."""

    range: tuple[float, float] | None = None
    """Smallest and largest value that clients send, both included. Integers need it unless samples are given; floats
    without it are drawn from a standard normal distribution."""

    values: Literal["range", "samples"] = "range"
    """range: drawn within `range`, and the ends of it; samples: those of the samples and no others, where not every
    combination of values is real. Its dynamic axes, but for the batch, are then run at the samples' sizes alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a served output may be from the reference. What is not given is not asked, but for rtol and atol."""

    rtol: float | None = None
    """Relative tolerance; the default depends on the dtype (fp32: 1e-3, fp16: 1e-2, fp64: 1e-6, whole numbers: 0)."""

    atol: float | None = None
    """Absolute tolerance; the default depends on the dtype (fp32: 1e-5, fp16: 1e-3, fp64: 1e-9, whole numbers: 0)."""

    top_k: int | None = None
    """The k largest values along the last axis must be at the same places (ties count as equal)."""

    cosine_min: float | None = None
    """Smallest cosine similarity of a row with its reference."""

    max_error: float | None = None
    """Largest absolute error of any element."""

    mean_error: float | None = None
    """Largest mean absolute error."""

    p99_error: float | None = None
    """Largest 99th percentile of the absolute error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of the model. Outputs need no entry; one is a promise that is checked."""

    dtype: DType | None = None
    """Element type it must have."""

    shape: tuple[Dim, ...] | None = None
    """Full shape it must have, batch axis included; a name must be an axis of an input. Of a Python function it may
    also be one of its own, whose size each answer tells."""

    parity: Tolerance | None = None
    """Tolerance of this output, instead of the model's."""

    labels: str | None = None
    """A text file with the names of the classes along the last axis, one a line: config.pbtxt's `label_filename`.
    Clients that ask for the classification of this output get them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The sizes of a dynamic axis."""

    min: int = 1
    """Smallest size that clients send."""

    max: int
    """Largest size that clients send; of the batch axis: the `max_batch_size`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(Tolerance):
    """The hard gate: how equal the served model must be to the PyTorch one."""

    special_values: bool = False
    """Also feed NaN and infinity. Off by default: the runtimes legitimately differ on some of them."""

    seed: int = 0
    """Seed of the random inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How Triton may put requests together."""

    enabled: bool | Literal["auto"] = "auto"
    """auto: batch if the model is proven to treat each row alone; true: an error if it is not; false: never."""

    axis: str = "batch"
    """The name of the batch axis. It must be the first axis of every input and output."""

    queue_delay_us: int = 100
    """How long a request may wait for company, in microseconds."""

    preferred_sizes: tuple[int, ...] = ()
    """Batch sizes to send at once, without waiting."""

    row_tolerance: float = 0.0
    """How far a row may change when its neighbours do. Above 0, a model that mixes rows is accepted knowingly, and the
    record says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """How many copies of the model run at once."""

    count: int = 1
    """Copies per device."""

    kind: Literal["auto", "cpu", "gpu"] = "auto"
    """auto: GPU where the server has one, else CPU."""

    gpus: tuple[int, ...] = ()
    """Device numbers; empty: all."""

    cores: int | None = None
    """Cores of the serving machine, which several instances share between their threads. Not given: those of the
    machine that builds, so that builds on different machines may differ in this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The budget that `trb perf` holds the model to."""

    p50_ms: float | None = None
    """Largest median latency, in milliseconds."""

    p90_ms: float | None = None
    """Largest 90th percentile, in milliseconds."""

    p95_ms: float | None = None
    """Largest 95th percentile, in milliseconds."""

    p99_ms: float | None = None
    """Largest 99th percentile, in milliseconds."""

    throughput_min: float | None = None
    """Smallest throughput, in rows (inferences) per second."""

    concurrency: int = 1
    """Requests in flight while the budget is measured."""

    request_rate: float | None = None
    """Requests per second, open loop, instead of a concurrency."""

    batch: int = 1
    """Rows per request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOptions:
    """How the ONNX file is made."""

    opset: int | None = None
    """Opset to ask for; never above what the target release takes. Default: the exporter's own, lowered if needed."""

    exporter: Literal["auto", "dynamo", "legacy"] = "auto"
    """auto: the torch.export exporter, then the legacy one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonOptions:
    """How a Python function is served (`backend: python`)."""

    call: Literal["row", "batch"] = "row"
    """row: the function is given one row at a time, without the batch axis; a row that fails fails its own request
    alone. batch: whole arrays, batch axis first; rows of several requests in one call where they are proven
    independent."""

    requirements: tuple[str, ...] = ()
    """Packages that the function imports, such as `pillow` or `tokenizers>=0.20`, for pip. The versions installed here
    are delivered beside model.py, in wheels for the Python of the target's image. numpy is in every image."""

    files: tuple[str, ...] = ()
    """Data files, relative to trb.yaml, copied beside model.py: what a class takes as the folder `files`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the project."""

    source: str
    """`package.module:callable` giving an nn.Module, or a file: .pt2 (exported program), .pt (TorchScript), .onnx. For
    `backend: python` the function itself, or a class whose instances are called."""

    inputs: Mapping[str, Input]
    """The inputs by name. Names of `forward`'s arguments bind by name; otherwise they bind in order. A Python function
    takes them by name."""

    outputs: Mapping[str, Output] = field(default_factory=dict)
    """Promises about the outputs, and tolerances of their own. A Python function needs the dtype and shape of each."""

    output_names: tuple[str, ...] = ()
    """Names for the flattened outputs, in order, instead of the derived ones."""

    dims: Mapping[str, Axis] = field(default_factory=dict)
    """The sizes of the dynamic axes. The batch axis defaults to {min: 1, max: 8}; any other needs its max."""

    backend: tuple[Backend, ...] = (Backend.ONNX,)
    """onnx, torchscript, or both; python for a plain function. With both, the Triton models are called `<name>_onnx`
    and `<name>_torchscript`."""

    weights: str | None = None
    """.safetensors, or .pt with a state dict (read with weights_only); loaded into the module, all keys must match."""

    allow_pickle: bool = False
    """Opt in to unpickling: weights that `weights_only` refuses, or a .pt2 with pickles. It runs code from the file."""

    torchscript: Literal["auto", "trace", "script"] = "auto"
    """auto: trace, and script where the trace would lose control flow."""

    onnx: OnnxOptions = field(default_factory=OnnxOptions)
    """Options of the ONNX export."""

    python: PythonOptions = field(default_factory=PythonOptions)
    """Options of `backend: python`."""

    samples: str | None = None
    """Real inputs, first axis = samples: `package.module:callable` giving {input: array}, or an .npz file."""

    parity: Parity = field(default_factory=Parity)
    """The tolerances of the gate."""

    batching: Batching = field(default_factory=Batching)
    """How Triton may put requests together."""

    instances: Instances = field(default_factory=Instances)
    """How many copies run at once. A number is short for {count: N}."""

    latency: Latency | None = None
    """The budget of `trb perf`."""

    keep_versions: int = 1
    """How many of the newest versions Triton serves at once (version_policy: latest)."""

    warmup: bool = True
    """Run the batch sizes that matter before the model is ready."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Further backend parameters for config.pbtxt; they win over ours."""

    allow_new_signature: bool = False
    """Publish although inputs or outputs changed in a way that breaks the clients of the previous version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a pipeline. A name alone is short for {model: name}."""

    model: str
    """A model or pipeline of this file by its name in the repository, or a model that lies in the repository."""

    map: Mapping[str, str] = field(default_factory=dict)
    """The pipeline's name of a tensor, by the model's, where the two differ; the direction of Triton's `input_map` and
    `output_map`."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    """As `map`, for outputs alone: where an input and an output of the model have the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Several models served as one: a Triton ensemble."""

    inputs: tuple[str, ...]
    """The tensors that clients send. Their dtypes, shapes and ranges are those of the steps that read them."""

    steps: tuple[Step, ...]
    """In order: a step reads what clients send and what steps before it give. Tensors meet by name."""

    outputs: Mapping[str, Output]
    """The tensors that clients get, of any step: a list of names, or promises about them by name."""

    fuse: bool | Literal["auto"] = True
    """true: steps next to each other that are graphs of one backend are merged into a single model, `<name>_fused`, so
    that a request crosses Triton once; false: each step is a model; auto: both are built, proven and measured on the
    live server, and the faster is kept."""

    samples: str | None = None
    """Real inputs, as a model's; those of the steps that read the inputs when not given."""

    parity: Parity | None = None
    """The tolerances of the whole way; those of the steps that give the outputs when not given."""

    latency: Latency | None = None
    """The budget of `trb perf`."""

    allow_new_signature: bool = False
    """Publish although inputs or outputs changed in a way that breaks the clients of the previous version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A whole trb.yaml."""

    models: Mapping[str, Model]
    """The models by name."""

    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    """Models served as one, by name."""

    triton: str = "24.10"
    """The release the repository must load in."""

    repository: str = "model_repository"
    """Where the repository is written, relative to this file. It must not hold this file: trb keeps files of its own
    beside it, in `.trb`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProject:
    """A project and the file it came from."""

    project: Project
    path: Path
    """The absolute path of trb.yaml."""

    @property
    def folder(self) -> Path:
        """The folder that relative paths and modules start from."""
        return self.path.parent

    @property
    def repository(self) -> Path:
        """The absolute path of the model repository, without `..`: what lies beside it must not lie in it."""
        return Path(os.path.normpath(self.folder / self.project.repository))


def triton_names(name: str, model: Model) -> Mapping[Backend, str]:
    """Return the name in the repository of each backend of `model`."""
    if len(model.backend) == 1:
        return {model.backend[0]: name}
    return {backend: f"{name}_{backend.value}" for backend in model.backend}


def axes(model: Model) -> tuple[str, ...]:
    """Return the dynamic axes of all inputs, each once, in order of appearance."""
    return unique(dim for tensor in model.inputs.values() for dim in tensor.shape if isinstance(dim, str))


def has_batch_axis(model: Model) -> bool:
    """Return whether an input has the batch axis."""
    return model.batching.axis in axes(model)


def axis_range(model: Model, axis: str) -> Axis:
    """Return the sizes of `axis`; the batch axis has a default."""
    if axis in model.dims:
        return model.dims[axis]
    if axis == model.batching.axis:
        return Axis(max=8)
    raise KeyError(axis)
