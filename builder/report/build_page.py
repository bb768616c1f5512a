"""What `trb build` shows."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from builder.report import words
from builder.report.page import Line, Page, Table
from builder.spec.project import Backend
from builder.spec.results import BuildReport, BuiltModel

_NUMBERS: Final = ("version", "opset", "max batch", "parity error", "size", "seconds")
_HEADER: Final = (
    "model",
    "version",
    "status",
    "exporter",
    "opset",
    "max batch",
    "rows apart",
    "parity error",
    "size",
    "seconds",
)


def page(report: BuildReport) -> Page:
    """Return a row per Triton model, then what is worth knowing, then the verdict."""
    table = Table(header=_HEADER, rows=tuple(_row(model) for model in report.models), numbers=_NUMBERS)
    return (table, *(line for model in report.models for line in _remarks(model)), _verdict(report))


def _row(model: BuiltModel) -> tuple[str, ...]:
    done = model.status != "failed"
    return (
        model.triton_name,
        _or_dash(model.version),
        model.status,
        model.exporter or "-",
        _or_dash(model.opset),
        _or_dash(model.max_batch_size),
        _row_gap(model) if done else "-",
        words.number(model.parity_worst),
        words.size(model.size_bytes) if done else "-",
        f"{model.seconds:.1f}",
    )


def _remarks(model: BuiltModel) -> Iterator[Line]:
    if model.status == "failed":
        yield Line(f"{model.triton_name}: {model.error}", "bad")
        if model.fix:
            yield Line(f"  fix: {model.fix}")
    elif model.max_batch_size == 0 and model.batch_reason:
        yield Line(f"{model.triton_name}: not batched: {model.batch_reason}", "warning")
    for note in model.notes:
        yield Line(f"{model.triton_name}: {note}")


def _verdict(report: BuildReport) -> Line:
    counts = Counter[str](model.status for model in report.models)
    order = ("built", "unchanged", "fresh", "failed")
    tally = ", ".join(f"{counts[status]} {status}" for status in order if counts[status])
    where = f" in {Path(report.repository).name}" if report.repository else ""
    told = f"{words.plural(len(report.models), 'model')}{where}: {tally or 'nothing to build'}"
    return Line(
        f"{'PASS' if report.passed else 'FAIL'}: {told} ({report.seconds:.1f} s)",
        "good" if report.passed else "bad",
    )


def _row_gap(model: BuiltModel) -> str:
    if model.backend is Backend.ENSEMBLE:
        return "its steps'"
    if model.row_gap is None:
        return "not tested"
    return "bit-equal" if model.row_gap == 0 else words.number(model.row_gap)


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
