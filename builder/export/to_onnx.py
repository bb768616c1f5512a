"""Write a model as ONNX that the target release loads."""

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder.blame import without_folders
from builder.errors import ExportError
from builder.export import onnx_files
from builder.export.chatter import into_log
from builder.export.onnx_exporters import EXPORTERS, Made
from builder.export.onnx_graph import lowered, name_axes, opset_of, strip
from builder.export.onnx_source import copied, require_opset
from builder.export.onnx_view import View, run_problem, view
from builder.export.refusals import refuse_dtypes
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import Release

_DEFAULT_OPSET: Final = 20
_BY_WISH: Final = {
    "auto": ("torch.export", "legacy"),
    "dynamo": ("torch.export",),
    "legacy": ("legacy",),
}


def export(
    loaded: Loaded,
    *,
    into: Path,
    release: Release,
    log: Path | None,
    external_above_bytes: int = onnx_files.EXTERNAL_ABOVE_BYTES,
) -> Artifact:
    """Write `into/model.onnx`; it has passed the ONNX checker, ONNX Runtime, and a look at every axis.

    Weights above `external_above_bytes` go to `model.onnx.data` beside it.

    Raises:
        ExportError: the release cannot load such a file, or every exporter failed; each reason is told.
    """
    refuse_dtypes(loaded.signature, Backend.ONNX, release)
    path = into / Backend.ONNX.filename
    with into_log(log):
        if loaded.kind == "onnx":
            return copied(loaded, path, release, external_above_bytes)
        return _exported(loaded, path, release, external_above_bytes)


def _exported(loaded: Loaded, path: Path, release: Release, external_above_bytes: int) -> Artifact:
    opset = _opset(loaded, release)
    failures: list[str] = []
    for name in _BY_WISH[loaded.model.onnx.exporter]:
        made = _lowered(EXPORTERS[name](loaded, opset), opset, release)
        seen = _written(made, loaded, path, external_above_bytes)
        if made.proto is not None and seen.signature is not None:
            return Artifact(
                backend=Backend.ONNX,
                folder=path.parent,
                exporter=name,
                opset=opset_of(made.proto),
                ir_version=made.proto.ir_version,
                signature=seen.signature,
                notes=(*made.notes, *(f"failed before: {without_folders(failure)}" for failure in failures)),
            )
        failures.append(f"{name}: {seen.refusal}")
    reasons = textwrap.indent("\n".join(failures), "  ")
    raise ExportError(f"{loaded.name}: no ONNX file was made\n{reasons}", fix=_fix(reasons))


def _opset(loaded: Loaded, release: Release) -> int:
    asked = loaded.model.onnx.opset
    if asked is None:
        return min(_DEFAULT_OPSET, release.max_opset)
    require_opset(asked, release, loaded.name)
    return asked


def _lowered(made: Made, opset: int, release: Release) -> Made:
    """Bring the graph down to `opset`: below 18 the torch.export exporter may leave it higher."""
    if made.proto is None:
        return made
    found = opset_of(made.proto)
    try:
        return replace(made, proto=lowered(made.proto, opset=opset, release=release))
    except RuntimeError as error:
        return Made(proto=None, refusal=f"opset {found} cannot be lowered to {opset}: {error}")


def _written(made: Made, loaded: Loaded, path: Path, external_above_bytes: int) -> View:
    """Write what an exporter made and look at it; nothing is left behind when it is refused."""
    if made.proto is None:
        return View(signature=None, refusal=made.refusal)
    strip(made.proto)
    name_axes(made.proto, loaded.signature)
    onnx_files.write(made.proto, path, external_above_bytes=external_above_bytes)
    seen = view(path, loaded)
    if seen.signature is not None and (problem := run_problem(path, loaded)):
        seen = View(signature=None, refusal=problem)
    if seen.signature is None:
        onnx_files.remove(path)
    return seen


def _fix(reasons: str) -> str:
    if "no translation" in reasons:
        return "write that line with other operations, or say `backend: torchscript`"
    if "frozen" in reasons or "You marked" in reasons:
        return "make the model treat that axis as free, or write its number in the shape in trb.yaml"
    return "`-v` shows the exporters' own words; `backend: torchscript` may carry the model"
