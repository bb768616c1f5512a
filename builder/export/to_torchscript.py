"""Write a model as TorchScript: frozen, in eval mode, bound to no device."""

import textwrap
from pathlib import Path
from typing import Any, Final

import torch

from builder.errors import ExportError
from builder.export import torch_zip
from builder.export.as_torchscript import as_torchscript
from builder.export.chatter import into_log
from builder.export.refusals import refuse_dtypes
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import Release

_UNBOUND: Final = "devices named in the graph now follow the first input"


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
        frozen = torch.jit.freeze(module)
    except RuntimeError as error:
        return module, (f"not frozen: {str(error).strip().splitlines()[0]}",)
    return frozen, (_UNBOUND,) if _unbind_devices(frozen.graph) else ()


def _unbind_devices(graph: Any) -> bool:
    """Replace every device constant of `graph` by the device of its first input; say whether there was one.

    A trace holds the device it was made on in each tensor it creates: on a GPU it would mix devices and fail.
    """
    pinned = [node.output() for node in graph.findAllNodes("prim::Constant") if _is_device(node.output())]
    if not pinned:
        return False
    first_input = list(graph.inputs())[1]  # 0 is the module itself
    node = graph.create("prim::device", [first_input], 1)
    graph.prependNode(node)
    node.output().setType(pinned[0].type())
    for value in pinned:
        value.replaceAllUsesWith(node.output())
    torch._C._jit_pass_dce(graph)  # noqa: SLF001 - the constants that nothing uses any more
    return True


def _is_device(value: Any) -> bool:
    return bool(value.type().kind() == "DeviceObjType")
