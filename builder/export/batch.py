"""The batch axis of an exported file, proven by running it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from builder.blame import first_line
from builder.errors import BatchingRefused, ExportError
from builder.export.batch_place import obstacle
from builder.export.example import drawn
from builder.export.rows import RowGap, concat_gap, row_gap
from builder.export.shapes import shape_problem
from builder.feeds import label, sizes
from builder.runtimes import open_file
from builder.spec.artifact import Artifact, BatchProof
from builder.spec.loaded import Loaded, Runner
from builder.spec.project import Backend, axis_range


def prove_batch(loaded: Loaded, artifact: Artifact, *, threads: int) -> BatchProof:
    """Run the file at every combination of sizes, and prove that it treats each row alone.

    Raises:
        BatchingRefused: `batching.enabled` is true and Triton must not batch this file.
        ExportError: the file does not run at a size that the spec declares.
    """
    run = open_file(artifact.backend, artifact.path, artifact.signature, threads=threads)
    tried = sizes(loaded.model)
    for here in tried:
        _require_run(loaded, artifact, run, here)
    if loaded.model.batching.enabled is False:
        return BatchProof(max_batch_size=0, reason="batching is off in the spec", sizes=tried)
    if reason := obstacle(loaded.model, artifact.signature):
        return _unbatched(loaded, BatchProof(max_batch_size=0, reason=reason, sizes=tried))
    largest = axis_range(loaded.model, loaded.model.batching.axis).max
    if largest == 1:
        return BatchProof(max_batch_size=1, reason="the largest batch is one row", sizes=tried)
    proof = _by_rows(loaded, run, tried, largest)
    if proof.max_batch_size:
        return proof
    if artifact.backend is Backend.PYTHON and loaded.model.batching.enabled == "auto":
        return replace(
            proof,
            max_batch_size=largest,
            reason=f"every request is called alone: {proof.reason}",
            joins_requests=False,
        )
    return _unbatched(loaded, proof)


def _by_rows(loaded: Loaded, run: Runner, tried: tuple[Mapping[str, int], ...], largest: int) -> BatchProof:
    accepted = loaded.model.batching.row_tolerance
    rows = row_gap(loaded, run, nan=False)
    # A mixing has a size only while the neighbours are numbers; NaN looks for one that those did not show.
    if rows.size == 0:
        rows = row_gap(loaded, run, nan=True)
    apart, problem = concat_gap(loaded, run)
    reason = _mixing(rows, problem, apart, accepted)
    return BatchProof(
        max_batch_size=0 if reason else largest,
        reason=reason or _proven(rows, apart, accepted),
        sizes=tried,
        row_gap=rows.size,
        concat_gap=apart,
    )


def _mixing(rows: RowGap, problem: str, apart: float, accepted: float) -> str:
    """Return why the rows are not independent; empty if they are, or if the mixing is accepted."""
    if rows.size > accepted:
        return (
            f"it mixes the rows of a batch: {rows.where}, changed by {rows.size:.3g}"
            f"{f', above row_tolerance {accepted:g}' if accepted else ''}"
        )
    if problem and apart > accepted:
        return f"a batch is not answered as its parts are, although rows do not mix: {problem}"
    return ""


def _proven(rows: RowGap, apart: float, accepted: float) -> str:
    skipped = "" if rows.ran else "; rows of NaN were not tried, the file does not run on them"
    if rows.size == 0:
        return f"each row came back bit-equal when all others were replaced{skipped}"
    return (
        f"rows mix by up to {rows.size:.3g} ({rows.where}), concatenation by {apart:.3g}; "
        f"accepted by row_tolerance {accepted:g}"
    )


def _unbatched(loaded: Loaded, proof: BatchProof) -> BatchProof:
    if loaded.model.batching.enabled is True:
        raise BatchingRefused(
            f"{loaded.name}: Triton must not batch it: {proof.reason}",
            fix=_fix(proof),
        )
    return proof


def _fix(proof: BatchProof) -> str:
    if proof.row_gap is None:
        return "mend what is named, or say `batching: {enabled: auto}` to serve it without batching"
    return (
        "say `batching: {enabled: auto}` to serve it without batching, or accept the mixing knowingly with "
        "`batching: {row_tolerance: ...}`"
    )


_EVERY_SIZE: Final = "narrow the range of that axis in `dims`, or make the model take every size of it"
_COPIED: Final = (
    "the function itself runs, so its copy lacks something: name its data in `python: {files: [...]}` and make it a "
    "class that takes their folder; import its modules by plain `import` statements"
)
"""What to do where a Python function answers and its copy does not."""


def _require_run(loaded: Loaded, artifact: Artifact, run: Runner, here: Mapping[str, int]) -> None:
    try:
        answer = run(drawn(loaded, here, loaded.model.parity.seed))
    except Exception as error:  # torch's and ONNX Runtime's exceptions share no class below Exception
        place = f"{artifact.path.name} at {label(here)}".removesuffix(" at ")
        raise ExportError(
            f"{loaded.name}: {place} fails: {first_line(error)}",
            fix=_COPIED if artifact.backend is Backend.PYTHON else _EVERY_SIZE,
        ) from error
    if problem := shape_problem(artifact.signature, here, answer):
        raise ExportError(
            f"{loaded.name}: {artifact.path.name} at {label(here)}: {problem}",
            fix="make the shape of that output depend on nothing but the declared axes",
        )
