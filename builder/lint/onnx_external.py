"""The weights of an ONNX file that lie in other files: whether the release's ONNX Runtime would find and take them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from builder.lint.onnx_bytes import Weight
from builder.rules.refusal import Refusal
from builder.spec.releases import Release

CONFINED_SINCE: Final = (1, 24)
"""The first ONNX Runtime that keeps external weights inside the model's folder (tried: 1.23.2 does not)."""


def check(weights: tuple[Weight, ...], file: Path, release: Release) -> Iterator[Refusal]:
    """Yield why the weights of the graph in `file` would not be taken: once for each of the other files."""
    told = set[str]()
    for weight in weights:
        location = weight.location
        refusal = None if location in told else _weight(weight, location, file, release)
        if refusal is not None:
            told.add(location)
            yield refusal


def _weight(weight: Weight, location: str, file: Path, release: Release) -> Refusal | None:
    beside = file.parent / location
    if not location or not beside.is_file():
        return Refusal(
            f"external weights are missing: the graph reads them from {location!r} beside it",
            code="O105",
            fix=f"copy {location} into {file.parent.name}/ under this very name; it is written in the graph",
        )
    if _is_confined(release) and _escapes(location, beside, file):
        return Refusal(
            f"External data path validation failed for initializer: {weight.name}. External data path {location!r} "
            f"escapes model directory (ONNX Runtime {release.onnxruntime} of Triton {release.name})",
            code="O108",
            fix="keep the weights in the folder of the graph: onnx.load(path), then onnx.save_model with "
            "save_as_external_data=True and a plain file name as location",
        )
    why = _extent(weight, beside.stat().st_size)
    if why:
        return Refusal(
            f"external weights are cut short or altered: {weight.name!r} {why} of {location!r}",
            code="O105",
            fix="copy the file again, whole, together with the graph",
        )
    return None


def _is_confined(release: Release) -> bool:
    return tuple(int(part) for part in release.onnxruntime.split(".")[:2]) >= CONFINED_SINCE


def _escapes(location: str, beside: Path, file: Path) -> bool:
    inside = beside.resolve()
    folders = (file.parent.resolve(), file.resolve().parent)
    return location.startswith("/") or not any(inside.is_relative_to(folder) for folder in folders)


def _extent(weight: Weight, size: int) -> str:
    """Return what is wrong with the part of a file of `size` bytes that a weight is said to be; empty: nothing."""
    where = dict(weight.external)
    if weight.offset is None or weight.length is None:
        return f"is at byte {where.get('offset')}, {where.get('length')} bytes long,"
    taken = weight.length or weight.size
    if weight.size and taken != weight.size:
        return f"needs {weight.size} bytes, not {taken},"
    end = weight.offset + taken
    return f"ends at byte {end}, beyond the {size}" if end > size else ""
