"""Take an existing .onnx file over."""

import shutil
from pathlib import Path

import onnx

from builder.errors import ExportError
from builder.export import onnx_files
from builder.export.onnx_graph import lowered, opset_of
from builder.export.onnx_view import view
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import Release, first_release_with


def copied(loaded: Loaded, path: Path, release: Release, external_above_bytes: int) -> Artifact:
    """Copy the source to `path`: byte for byte, unless it must be lowered or its weights lie elsewhere.

    Raises:
        ExportError: it cannot be lowered to what the release loads, or an axis of the spec is fixed in it.
    """
    proto = onnx.load(loaded.path, load_external_data=False)
    has_parts = any(tensor.HasField("data_location") for tensor in proto.graph.initializer)
    notes: tuple[str, ...] = ()
    if opset_of(proto) > release.max_opset or proto.ir_version > release.max_ir:
        notes = (f"lowered from opset {opset_of(proto)}, IR {proto.ir_version} for Triton {release.name}",)
        proto = _lowered(onnx.load(loaded.path), release, loaded.name)
        onnx_files.write(proto, path, external_above_bytes=external_above_bytes)
    elif has_parts:
        onnx_files.write(onnx.load(loaded.path), path, external_above_bytes=external_above_bytes)
    else:
        shutil.copyfile(loaded.path, path)
    seen = view(path, loaded)
    if seen.signature is None:
        onnx_files.remove(path)
        raise ExportError(
            f"{loaded.name}: {loaded.path.name}: {seen.refusal}",
            fix="let the shapes in trb.yaml say what the file says: a number where it has a number",
        )
    return Artifact(
        backend=Backend.ONNX,
        folder=path.parent,
        exporter="copied",
        opset=opset_of(proto),
        ir_version=proto.ir_version,
        signature=seen.signature,
        notes=notes,
    )


def require_opset(opset: int, release: Release, name: str) -> None:
    """Make sure that `release` loads ONNX files of `opset`.

    Raises:
        ExportError: it does not; the first release that does is named.
    """
    if opset <= release.max_opset:
        return
    first = first_release_with(opset=opset)
    later = f"the first release that loads it is {first.name}" if first else "no known release loads it"
    raise ExportError(
        f"{name}: opset {opset} is above {release.max_opset}, the highest that Triton {release.name} "
        f"(ONNX Runtime {release.onnxruntime}) loads",
        fix=f"{later}; or ask for opset {release.max_opset} or lower",
    )


def _lowered(proto: onnx.ModelProto, release: Release, name: str) -> onnx.ModelProto:
    try:
        return lowered(proto, opset=release.max_opset, release=release)
    except RuntimeError:
        require_opset(opset_of(proto), release, name)
        raise
