"""An ONNX file in ONNX Runtime, loaded and run as the genuine onnxruntime backend does it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from builder.rules import onnxruntime as rules
from builder.rules import parameters
from builder.rules.refusal import Config, ModelTensor, Refusal, backend_dims, tensors
from builder.server.standins import onnx_header, unsupported
from builder.server.standins.batching import Array, Feeds
from builder.server.standins.refused import LoadRefused, RequestRefused
from builder.spec.releases import Release

VERSIONS: Final = {"onnxruntime": ort.__version__}
"""What runs the models here."""

_GRAPH_LEVELS: Final = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}
_ERROR: Final = re.compile(r"\[ONNXRuntimeError\] : (?P<code>\d+) : \w+ : (?P<text>.*)", re.DOTALL)
_SHRINKAGE: Final = "memory.enable_memory_arena_shrinkage"
_DEVICE_ALLOCATOR: Final = "session.use_device_allocator_for_initializers"


@dataclass(frozen=True, slots=True)
class OrtModel:
    """A session and what the config makes of it."""

    session: ort.InferenceSession
    run_options: ort.RunOptions | None
    outputs: tuple[str, ...]
    """The outputs of the config; all of them are computed for every request, as in the genuine backend."""
    scalar_inputs: frozenset[str]
    """Inputs that have no axis at all in the model."""
    scalar_outputs: dict[str, tuple[int, ...]]
    """The shape that the config gives to outputs without axes."""

    def run(self, feeds: Feeds) -> Feeds:
        """Run the model once.

        Raises:
            RequestRefused: ONNX Runtime failed.
        """
        ready = {name: self._ready(name, array) for name, array in feeds.items()}
        try:
            found = self.session.run(self.outputs, ready, self.run_options)
        except Exception as error:  # ONNX Runtime raises a dozen unrelated classes
            raise RequestRefused(words(error), "INTERNAL") from error
        return {name: self._shaped(name, array) for name, array in zip(self.outputs, found, strict=True)}

    def _ready(self, name: str, array: Array) -> Array:
        if array.dtype == np.object_:
            array = _terminated(array)
        return array.reshape(()) if name in self.scalar_inputs else array

    def _shaped(self, name: str, array: Array) -> Array:
        if name in self.scalar_outputs:
            return np.asarray(array).reshape(self.scalar_outputs[name])
        return array


def load(config: Config, path: Path, release: Release | None) -> OrtModel:
    """Return the model in `path` ready to serve under `config`.

    Raises:
        LoadRefused: the genuine backend of `release` would not load it.
    """
    session = open_session(config, path, release)
    inputs, initializers, outputs = described(session)
    bf16 = _carries_bf16(release)
    for refusal in rules.check(config, inputs, outputs, initializers=initializers, bf16=bf16):
        raise LoadRefused(refusal.message)
    unsupported.check(config)
    scalars = {tensor.name for tensor in outputs if not tensor.shape}
    return OrtModel(
        session=session,
        run_options=_run_options(config),
        outputs=tuple(tensor["name"] for tensor in tensors(config, "output")),
        scalar_inputs=frozenset(t.name for t in (*inputs, *initializers) if not t.shape),
        scalar_outputs={
            tensor["name"]: backend_dims(tensor)
            for tensor in tensors(config, "output")
            if tensor["name"] in scalars
        },
    )


def complete(config: Config, path: Path, release: Release | None) -> dict[str, Any]:
    """Return the fields that the genuine backend's auto-complete would set in `config`.

    Raises:
        LoadRefused: it would fail.
    """
    if not rules.wants_completion(config):
        return {}
    inputs, _, outputs = described(open_session(config, path, release))
    found = rules.auto_complete(config, inputs, outputs, bf16=_carries_bf16(release))
    if isinstance(found, Refusal):
        raise LoadRefused(found.message)
    return found


def open_session(config: Config, path: Path, release: Release | None) -> ort.InferenceSession:
    """Return a session on the file or folder at `path`, with the options of `config`.

    Raises:
        LoadRefused: it cannot be loaded, or not by the ONNX Runtime of `release`.
    """
    for refusal in rules.options(config):
        raise LoadRefused(refusal.message)
    file = _file(config, path)
    try:
        session = ort.InferenceSession(file, _session_options(config), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes
        raise LoadRefused(words(error)) from error
    if release and ort.__version__ != release.onnxruntime:
        header = onnx_header.read(file)
        limits = {"max_opset": release.max_opset, "max_ir": release.max_ir}
        for refusal in rules.over_limits(opset=header.opset, ir=header.ir, **limits):
            raise LoadRefused(refusal.message)
    return session


def described(
    session: ort.InferenceSession,
) -> tuple[Sequence[ModelTensor], Sequence[ModelTensor], Sequence[ModelTensor]]:
    """Return the inputs, the initialisers that a request may override, and the outputs of `session`."""
    return (
        [_tensor(found) for found in session.get_inputs()],
        [_tensor(found) for found in session.get_overridable_initializers()],
        [_tensor(found) for found in session.get_outputs()],
    )


def words(error: Exception) -> str:
    """Return ONNX Runtime's message as the genuine backend, which calls its C interface, says it."""
    found = _ERROR.search(str(error))
    return (
        f"onnx runtime error {found['code']}: {found['text']}" if found else f"onnx runtime error 1: {error}"
    )


def _terminated(texts: Array) -> Array:
    """Return `texts` (bytes objects) as fixed-width bytes, which reach ONNX Runtime raw.

    It would take bytes objects by their repr, and reads an element that fills its width on into the next one.
    """
    width = max(map(len, texts.ravel().tolist()), default=0) + 1
    return texts.astype(f"S{width}")


def _tensor(found: Any) -> ModelTensor:
    shape = tuple(dim if isinstance(dim, int) and dim >= 0 else -1 for dim in found.shape)
    return ModelTensor(found.name, found.type, shape)


def _carries_bf16(release: Release | None) -> bool:
    return release is not None and release.key >= rules.BF16_SINCE


def _file(config: Config, path: Path) -> Path:
    if not path.exists():
        raise LoadRefused(f"failed to stat file {path}")
    file = path / "model.onnx" if path.is_dir() else path
    if not file.exists():
        raise LoadRefused(f"unable to find '{file}' for model instance '{config['name']}'")
    return file


def _session_options(config: Config) -> ort.SessionOptions:
    found = ort.SessionOptions()
    found.log_severity_level = 3
    level = int(((config.get("optimization") or {}).get("graph") or {}).get("level", 0))
    found.graph_optimization_level = _GRAPH_LEVELS.get(level, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    given = parameters.text(config)
    if parameters.integer(given.get("execution_mode", "0")) == 1:
        found.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    found.intra_op_num_threads = max(parameters.integer(given.get("intra_op_thread_count", "0")) or 0, 0)
    found.inter_op_num_threads = max(parameters.integer(given.get("inter_op_thread_count", "0")) or 0, 0)
    found.enable_cpu_mem_arena = parameters.boolean(given.get("enable_mem_arena", "1")) is True
    found.enable_mem_pattern = parameters.boolean(given.get("enable_mem_pattern", "1")) is True
    if _DEVICE_ALLOCATOR in given:
        found.add_session_config_entry(_DEVICE_ALLOCATOR, given[_DEVICE_ALLOCATOR])
    for library in (config.get("model_operations") or {}).get("op_library_filename") or ():
        found.register_custom_ops_library(library)
    return found


def _run_options(config: Config) -> ort.RunOptions | None:
    shrinkage = parameters.text(config).get(_SHRINKAGE)
    if shrinkage is None:
        return None
    found = ort.RunOptions()
    found.add_run_config_entry(_SHRINKAGE, shrinkage)
    return found
