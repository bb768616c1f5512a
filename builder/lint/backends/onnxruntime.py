"""`backend: "onnxruntime"`: the graph against the config, as ONNX Runtime sees it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from builder.lint.file_kind import foreign
from builder.lint.onnx_view import OnnxView, view
from builder.lint.seen import Looked, Seen, missing
from builder.rules import onnxruntime as rules
from builder.rules.refusal import Refusal
from builder.spec.releases import first_release_with


def look(seen: Seen) -> Looked:
    """Return what the backend has against the file, and what it completes in the config.

    Raises:
        OSError: the file cannot be read.
    """
    file = seen.file / "model.onnx" if seen.file.is_dir() else seen.file
    if not file.exists():
        return Looked(refusals=(missing(seen, f"failed to stat file {seen.relative}"),))
    relative = str(file.relative_to(seen.folder.path))
    found = foreign(file, relative) or view(file)
    if isinstance(found, Refusal):
        return Looked(refusals=(replace(found, file=relative),))
    of_file = [replace(one, file=relative) for one in _of_file(seen, found, file)]
    if of_file:
        return Looked(refusals=tuple(of_file))
    return _against_config(seen, found, relative)


def _of_file(seen: Seen, found: OnnxView, file: Path) -> Iterator[Refusal]:
    """Yield what keeps the release's ONNX Runtime from loading the file, whatever the config says."""
    release = seen.target.release
    limits = {"max_opset": release.max_opset, "max_ir": release.max_ir}
    for refusal in rules.over_limits(opset=found.opset, ir=found.ir, **limits):
        first = first_release_with(opset=found.opset or 0, ir=found.ir or 0)
        later = f", or serve it with Triton {first.name}, the first that loads it" if first else ""
        yield replace(
            refusal, fix=f"export with opset {release.max_opset} and IR {release.max_ir} at most{later}"
        )
    yield from _external(found, file)


def _external(found: OnnxView, file: Path) -> Iterator[Refusal]:
    """Yield the weights that are kept in other files and are not there."""
    for name in sorted({dict(weight.external).get("location", "") for weight in found.external}):
        beside = file.parent / name
        if not beside.is_file():
            yield Refusal(
                f"external weights are missing: the graph reads them from {name!r} beside it",
                code="O105",
                fix=f"copy {name} into {file.parent.name}/ under this very name; it is written in the graph",
            )
            continue
        size = beside.stat().st_size
        for weight in found.external:
            where = dict(weight.external)
            end = int(where.get("offset") or 0) + int(where.get("length") or 0)
            if where.get("location") == name and end > size:
                yield Refusal(
                    f"external weights are cut short: {weight.name!r} ends at byte {end} of {name!r}, which has {size}",
                    code="O105",
                    fix="copy the file again, whole",
                )
                break


def _against_config(seen: Seen, found: OnnxView, relative: str) -> Looked:
    bf16 = seen.target.release.key >= rules.BF16_SINCE
    completed = rules.auto_complete(seen.config, found.inputs, found.outputs, bf16=bf16)
    if isinstance(completed, Refusal):
        return Looked(refusals=(completed,))
    refusals = rules.check(
        {**seen.config, **completed}, found.inputs, found.outputs, initializers=found.initializers, bf16=bf16
    )
    return Looked(
        refusals=tuple(one if one.place else replace(one, file=relative) for one in refusals),
        completed=completed,
    )
