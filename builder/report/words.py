"""How figures read."""

import math

from builder.spec.graph import GraphStep, PipelineGraph
from builder.spec.project import Tolerance
from builder.spec.results import StepTime

_KILO = 1024
_MILLI = 1000


def number(value: float | None) -> str:
    """Return a figure in three significant digits; `-` for none."""
    return "-" if value is None else f"{value:.3g}"


def size(count: int) -> str:
    """Return a number of bytes in the unit that reads best."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= _KILO and len(units) > 1:
        amount, units = amount / _KILO, units[1:]
    return f"{amount:.3g} {units[0]}" if units[0] != "B" else f"{count} B"


def tolerance(given: Tolerance) -> str:
    """Return a tolerance, without what it does not ask."""
    asked = (
        ("rtol", given.rtol),
        ("atol", given.atol),
        ("top", given.top_k),
        ("cosine", given.cosine_min),
        ("max", given.max_error),
        ("mean", given.mean_error),
        ("p99", given.p99_error),
    )
    return ", ".join(f"{name} {value:g}" for name, value in asked if value is not None) or "-"


def would_have_passed(needed_rtol: float, needed_atol: float, given: Tolerance) -> str:
    """Return the tolerance that allclose would have passed at."""
    rtol, atol = f"{given.rtol or 0:g}", f"{given.atol or 0:g}"
    ways = [
        f"rtol {needed_rtol:.3g} at atol {atol}" if math.isfinite(needed_rtol) else "",
        f"atol {needed_atol:.3g} at rtol {rtol}" if math.isfinite(needed_atol) else "",
    ]
    return ", or ".join(way for way in ways if way) or "none"


def plural(count: int, noun: str) -> str:
    """Return `1 model` or `2 models`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def pipeline(one: PipelineGraph) -> str:
    """Return a pipeline in a line."""
    return f"{named(one.name, one.version)}: {plural(len(one.steps), 'step')}, {batching(one.max_batch_size)}"


def named(name: str, version: int | None) -> str:
    """Return a model with its version, where it has one."""
    return name if version is None else f"{name} version {version}"


def step(one: GraphStep) -> str:
    """Return what a step is."""
    return f"{one.kind}, {batching(one.max_batch_size)}"


def batching(largest: int) -> str:
    """Return how many rows a model takes at once."""
    return f"max batch {largest}" if largest else "not batched"


def duration(time_us: float) -> str:
    """Return a duration in the unit that reads best."""
    if time_us < _MILLI:
        return f"{time_us:.3g} us"
    return f"{time_us / _MILLI:.3g} ms" if time_us < _MILLI**2 else f"{time_us / _MILLI**2:.3g} s"


def split(time: StepTime) -> str:
    """Return where a step's time went."""
    return f"queue {duration(time.queue_us)}, compute {duration(time.compute_us)}"


def measured(one: PipelineGraph) -> str:
    """Return how a pipeline's times came about."""
    if not one.measured_at:
        return f"not measured: run trb perf {one.name}" if one.is_ours else "not measured"
    requests = [step.time.requests for step in one.steps if step.time is not None]
    return f"measured {one.measured_at}: averages of {max(requests, default=0)} requests, by the server's account"
