"""The two ways from PyTorch to an ONNX graph in memory."""

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
import torch

from builder.blame import chain, first_line, line_of_error, line_of_node
from builder.export.as_torchscript import Compiled, as_torchscript, traced_or_scripted
from builder.export.capture import capture
from builder.export.example import example
from builder.spec.loaded import Loaded
from builder.spec.tensors import Signature

LEGACY_MAX_OPSET: Final = 20
_UNTRANSLATED: Final = re.compile(
    r"No ONNX function found for <OpOverload\(op='([^']+)'|Exporting the operator '([^']+)' to ONNX"
)

_FIXED: Final = re.compile(
    r"You marked (\S+) as dynamic but your code specialized it to be a constant \((\d+)\)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A graph, or why there is none."""

    proto: onnx.ModelProto | None
    refusal: str = ""
    notes: tuple[str, ...] = ()


def by_torch_export(loaded: Loaded, opset: int) -> Made:
    """Translate the program that torch.export made; refused if it made none, as when an axis is not free."""
    captured = capture(loaded)
    if captured.program is None:
        assert captured.failure is not None
        return Made(proto=None, refusal=_told(captured.failure, line_of_error(captured.failure)))
    names = _names(loaded.signature)
    try:
        made = torch.onnx.export(
            captured.program, (), dynamo=True, opset_version=opset, verbose=False, **names
        )
        assert made is not None
        return Made(proto=made.model_proto)
    except Exception as error:  # noqa: BLE001 - the exporter raises whatever its translations raise
        return Made(proto=None, refusal=_told(error, line_of_node(error) or line_of_error(error)))


def by_legacy(loaded: Loaded, opset: int) -> Made:
    """Translate the TorchScript of the model: a branch is scripted here too, not traced away."""
    compiled = _torchscript(loaded)
    if compiled.module is None:
        return Made(proto=None, refusal=compiled.refusal)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            torch.onnx.export(
                compiled.module,
                example(loaded),
                str(path),
                dynamo=False,
                opset_version=min(opset, LEGACY_MAX_OPSET),
                dynamic_axes=_dynamic_axes(loaded.signature),
                **_names(loaded.signature),
            )
            return Made(
                proto=onnx.load(path), notes=compiled.notes
            )  # its external data too, before the folder goes
    except Exception as error:  # noqa: BLE001 - the exporter raises whatever its translations raise
        return Made(proto=None, refusal=_told(error, line_of_error(error)) + _why_scripted(loaded, compiled))


def _why_scripted(loaded: Loaded, compiled: Compiled) -> str:
    decides = capture(loaded).value_decides if compiled.how == "script" else ""
    return f"\n    scripted, as a value decides what is computed at {decides}" if decides else ""


def _torchscript(loaded: Loaded) -> Compiled:
    """Return no trace in which a value decided: `torchscript: trace` is asked of the other backend."""
    return traced_or_scripted(loaded) if loaded.model.torchscript == "trace" else as_torchscript(loaded)


EXPORTERS: Final[Mapping[str, Callable[[Loaded, int], Made]]] = {
    "torch.export": by_torch_export,
    "legacy": by_legacy,
}


def _names(signature: Signature) -> dict[str, Any]:
    return {
        "input_names": [tensor.name for tensor in signature.inputs],
        "output_names": [tensor.name for tensor in signature.outputs],
    }


def _dynamic_axes(signature: Signature) -> dict[str, dict[int, str]]:
    axes = {
        tensor.name: {place: dim for place, dim in enumerate(tensor.shape) if isinstance(dim, str)}
        for tensor in (*signature.inputs, *signature.outputs)
    }
    return {name: named for name, named in axes.items() if named}


def _told(error: Exception, place: str) -> str:
    """Say what went wrong in a line or two: the untranslatable op if it is that, and the user's line."""
    text = "\n".join(str(link) for link in chain(error))
    at = f"\n    at {place}" if place else ""
    if found := _UNTRANSLATED.search(text):
        return f"ONNX has no translation for {found[1] or found[2]}{at}"
    fixed = [
        f"torch.export finds axis {axis} fixed at {size} by the model" for axis, size in _FIXED.findall(text)
    ]
    reason = "; ".join(dict.fromkeys(fixed)) or first_line(error)
    return f"{reason}{at}"
