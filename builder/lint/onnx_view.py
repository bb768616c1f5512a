"""An ONNX file as ONNX Runtime sees it: inputs, outputs with their inferred shapes, stamps; or why it refuses it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from builder.lint.onnx_bytes import LightModel, NotOnnx, Weight, lighten
from builder.rules.refusal import BATCHED_DIM, ModelTensor, Refusal

_ERROR: Final = re.compile(r"\[ONNXRuntimeError\] : (?P<code>\d+) : \w+ : (?P<text>.*)", re.DOTALL)
_UNPARSED: Final = "onnx runtime error 7: Load model from {path} failed:Protobuf parsing failed."
_SHAPES: Final = "[ShapeInferenceError]"
_CONSTANT_UP_TO_IR: Final = 3
"""Up to this IR version every initialiser is an input of the graph, and none can be overridden."""
_WHOLE_UP_TO: Final = 1 << 30
"""Bytes up to which a file that was refused without its weights is tried with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxView:
    """What the backend compares a config with."""

    inputs: tuple[ModelTensor, ...]
    """Initialisers left out."""
    initializers: tuple[ModelTensor, ...]
    """Initialisers that a request may override: those that are inputs of the graph too."""
    outputs: tuple[ModelTensor, ...]
    unranked: frozenset[str]
    """The outputs that have no shape, and that nothing proves to be a single number."""
    ir: int | None
    opset: int | None
    """Of the domain ai.onnx."""
    external: tuple[Weight, ...]
    """Weights in other files."""


def view(path: Path) -> OnnxView | Refusal:
    """Return what ONNX Runtime makes of the file at `path`, or its reason to refuse it.

    Raises:
        OSError: it cannot be read.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        light = lighten(path)
        model = onnx.ModelProto.FromString(light.data)
    except (NotOnnx, DecodeError):
        return Refusal(
            _UNPARSED.format(path=path),
            code="O101",
            file=path.name,
            fix="copy it here again, or export it again",
        )
    session = _session(light, path)
    if isinstance(session, Refusal):
        return session
    try:
        return _seen(model, session, light)
    except UnicodeDecodeError:
        return Refusal("the name of an input or output is no UTF-8 text", code="O101", file=path.name)


def refusal_of(path: Path, shapes: Mapping[str, Sequence[int]]) -> str:
    """Return why ONNX Runtime can run the graph at `path` on no inputs of these shapes; empty where it may.

    Args:
        path: a file that `view` has taken.
        shapes: by input, with -1 for a free axis.

    Raises:
        OSError: it cannot be read.
    """
    import onnx
    import onnxruntime as ort

    light = lighten(path)
    model = onnx.ModelProto.FromString(light.data)
    for known in model.graph.input:
        axes = known.type.tensor_type.shape.dim
        for axis, size in zip(axes, shapes.get(known.name, ()), strict=False):
            if size != BATCHED_DIM:
                axis.dim_value = size
    try:
        ort.InferenceSession(model.SerializeToString(), _options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated classes
        return _words(error) if _SHAPES in str(error) else ""
    return ""


def _options() -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return options


def _session(light: LightModel, path: Path) -> Any:
    import onnxruntime as ort

    options = _options()
    try:
        return ort.InferenceSession(light.data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated classes
        if path.stat().st_size > _WHOLE_UP_TO:
            return Refusal(_words(error), code="O102", file=path.name)
    # A kernel may want a weight as a constant, and a branch has its weights beside the file, whose path is not known
    # here. The file as it is has the last word.
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - as above
        return Refusal(_words(error), code="O102", file=path.name)


def _seen(model: Any, session: Any, light: LightModel) -> OnnxView:
    left_out = {weight.name for weight in light.left_out}
    may_override = {weight.name for weight in light.left_out if weight.is_input}
    seen = session.get_inputs()
    opsets = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    return OnnxView(
        inputs=tuple(_tensor(one) for one in seen if one.name not in left_out),
        initializers=tuple(
            _tensor(one)
            for one in (*session.get_overridable_initializers(), *(o for o in seen if o.name in may_override))
        )
        if model.ir_version > _CONSTANT_UP_TO_IR
        else (),
        outputs=tuple(_tensor(one) for one in session.get_outputs()),
        unranked=_unranked(model, session),
        ir=model.ir_version if model.HasField("ir_version") else None,
        opset=opsets[-1] if opsets else None,
        external=light.external,
    )


def _unranked(model: Any, session: Any) -> frozenset[str]:
    import onnx

    if all(one.shape for one in session.get_outputs()):
        return frozenset()
    try:
        outputs = onnx.shape_inference.infer_shapes(model).graph.output
    except Exception:  # noqa: BLE001 - where inference fails, the declared shapes are left
        outputs = model.graph.output
    known = {one.name for one in outputs if one.type.tensor_type.HasField("shape")}
    return frozenset(one.name for one in session.get_outputs() if not one.shape) - known


def _tensor(found: Any) -> ModelTensor:
    shape = tuple(dim if isinstance(dim, int) and dim >= 0 else BATCHED_DIM for dim in found.shape)
    return ModelTensor(found.name, found.type, shape)


def _words(error: Exception) -> str:
    """Return ONNX Runtime's message as the genuine backend, which calls its C interface, says it."""
    found = _ERROR.search(str(error))
    return (
        f"onnx runtime error {found['code']}: {found['text']}" if found else f"onnx runtime error 1: {error}"
    )
