"""What `trb perf` shows."""

from collections.abc import Iterator
from typing import Final

from builder.report import words
from builder.report.page import Line, Page, Table
from builder.spec.results import LoadPoint, ModelPerf, PerfReport, StepTime

_LATENCY: Final = (
    "load",
    "batch",
    "rows/s",
    "p50 ms",
    "p90 ms",
    "p95 ms",
    "p99 ms",
    "errors",
    "stable",
    "verdict",
)
_BASIS: Final = ("load", "engine", "protocol", "requests", "windows", "warm-up s")
_SPLIT: Final = ("load", "queue us", "input us", "infer us", "output us", "average batch")
_STEPS: Final = ("step", "requests", "queue us", "compute us", "share")


def page(report: PerfReport) -> Page:
    """Return the figures of every model, what they rest on, the server's own split, and the verdict."""
    models = [block for model in report.models for block in _model(model)]
    return (*models, Line(f"server: {report.server}"), Line(f"machine: {report.machine}"), _verdict(report))


def _model(model: ModelPerf) -> Iterator[Line | Table]:
    if model.version is None:
        yield from (Line(f"{model.model}: not measured", "heading"), Line(f"problem: {model.problem}", "bad"))
        yield Line()
        return
    yield Line(f"{model.model} version {model.version}, inputs from {model.input_data}", "heading")
    yield _table(_LATENCY, [_latency_row(point) for point in model.points], words_in=("stable", "verdict"))
    yield _table(_BASIS, [_basis_row(point) for point in model.points], words_in=("engine", "protocol"))
    splits = [_split_row(point) for point in model.points if point.split is not None]
    if splits:
        yield _table(_SPLIT, splits)
    if model.steps:
        yield _table(_STEPS, [_step_row(step) for step in model.steps])
    yield from _where_judged(model.points)
    for point in model.points:
        yield from (Line(f"missed at {point.load}: {budget}", "bad") for budget in point.missed)
        if point.errors:
            yield Line(f"{words.plural(point.errors, 'error')} at {point.load}: {point.first_error}", "bad")
    yield Line()


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]], *, words_in: tuple[str, ...] = ()) -> Table:
    numbers = tuple(title for title in header[1:] if title not in words_in)
    return Table(header=header, rows=tuple(rows), numbers=numbers)


def _latency_row(point: LoadPoint) -> tuple[str, ...]:
    return (
        point.load,
        str(point.batch),
        f"{point.throughput:.1f}",
        *(f"{value:.2f}" for value in (point.p50_ms, point.p90_ms, point.p95_ms, point.p99_ms)),
        str(point.errors),
        "stable" if point.stable else "unstable",
        _point_verdict(point),
    )


def _point_verdict(point: LoadPoint) -> str:
    if point.missed or point.errors or not point.requests:
        return "FAIL"
    return "PASS" if point.budgeted else "no budget"


def _where_judged(points: tuple[LoadPoint, ...]) -> Iterator[Line]:
    """Say where the budget was judged, if figures of other loads stand beside it."""
    judged = [point for point in points if point.budgeted]
    if judged and len(judged) < len(points):
        at = f"{judged[0].load}, {words.plural(judged[0].batch, 'row')} per request"
        yield Line(f"the budget is judged at its own load alone: {at}")


def _basis_row(point: LoadPoint) -> tuple[str, ...]:
    counts = (str(point.requests), str(point.windows), f"{point.warmup_s:.1f}")
    return (point.load, point.engine, point.protocol, *counts)


def _split_row(point: LoadPoint) -> tuple[str, ...]:
    split = point.split
    if split is None:
        return ()
    times = (split.queue_us, split.compute_input_us, split.compute_infer_us, split.compute_output_us)
    return (point.load, *(f"{time_us:.0f}" for time_us in times), f"{split.average_batch:.2f}")


def _step_row(step: StepTime) -> tuple[str, ...]:
    times = (f"{step.queue_us:.0f}", f"{step.compute_us:.0f}")
    return (step.step, str(step.requests), *times, f"{step.share:.0%}")


def _verdict(report: PerfReport) -> Line:
    if not report.models:
        return Line("FAIL: nothing was measured", "bad")
    failed = [model.model for model in report.models if not model.passed]
    count = words.plural(len(report.models), "model")
    if not failed:
        return Line(f"PASS: {count} measured, no budget missed", "good")
    return Line(f"FAIL: {len(failed)} of {count}: {', '.join(failed)}", "bad")
