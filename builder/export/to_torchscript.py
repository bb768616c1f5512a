"""Write a model as TorchScript: frozen, in eval mode, bound to no device."""

import textwrap
from pathlib import Path
from typing import Final

import torch

from builder.errors import ExportError
from builder.export import torch_zip
from builder.export.as_torchscript import as_torchscript
from builder.export.chatter import into_log
from builder.export.frozen_torchscript import frozen
from builder.export.refusals import refuse_dtypes
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import Release


def export(loaded: Loaded, *, into: Path, release: Release, log: Path | None) -> Artifact:
    """Write `into/model.pt`, which answers like the model at every size, value and edge that was tried.

    Raises:
        ExportError: Triton's pytorch backend cannot carry it, or neither trace nor script is the model.
    """
    _refuse_onnx(loaded)
    refuse_dtypes(loaded.signature, Backend.TORCHSCRIPT, release)
    with into_log(log):
        compiled = as_torchscript(loaded)
        if compiled.module is None:
            reasons = textwrap.indent(compiled.refusal, "  ")
            raise ExportError(
                f"{loaded.name}: no TorchScript was made that is the model\n{reasons}",
                fix=compiled.fix or _FIX,
            )
        frozen, notes = _frozen(compiled.module)
        torch_zip.save(frozen, into / Backend.TORCHSCRIPT.filename)
    return Artifact(
        backend=Backend.TORCHSCRIPT,
        folder=into,
        exporter=compiled.how,
        signature=loaded.signature,
        notes=(*compiled.notes, *notes),
    )


_FIX: Final = (
    "write the branch with torch.where, or the line in what TorchScript understands (a dict of several types is one "
    "literal); `backend: onnx` may carry it; "
    "`torchscript: trace` skips the look for control flow, but not the comparison; if no client sends what "
    "differs, say `values: samples`"
)


def _refuse_onnx(loaded: Loaded) -> None:
    if loaded.kind == "onnx":
        raise ExportError(
            f"{loaded.name}: an .onnx source cannot become TorchScript",
            fix="say `backend: onnx`, or give the PyTorch model as the source",
        )


def _frozen(module: torch.jit.ScriptModule) -> tuple[torch.jit.ScriptModule, tuple[str, ...]]:
    try:
        return frozen(module)
    except RuntimeError as error:
        return module, (f"not frozen: {str(error).strip().splitlines()[0]}",)
