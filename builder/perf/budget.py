"""The budget of the spec against what was measured."""

import math
from collections.abc import Iterator, Sequence

from builder.perf.windows import PERCENTILES, Window
from builder.spec.project import Latency
from builder.spec.results import LoadPoint


def limits(latency: Latency) -> dict[str, float]:
    """Return the budgeted percentiles with their limits in milliseconds, lowest percentile first."""
    given = {name: getattr(latency, f"{name}_ms") for name in PERCENTILES}
    return {name: limit for name, limit in given.items() if limit is not None}


def watched(latency: Latency | None) -> str:
    """Return the latency whose stability matters: the highest budgeted percentile, else the median."""
    return max(limits(latency), default="p50") if latency else "p50"


def missed(point: LoadPoint, windows: Sequence[Window], latency: Latency) -> tuple[str, ...]:
    """Return one sentence for each budget that `point` misses.

    A stable point is judged by its figures. One that is not stable meets a budget only if every window that
    tells the figure met it, and at least one tells it.
    """
    if not point.requests:
        return (f"no request was answered, so no budget is met{_because(point.first_error)}",)
    return tuple(_misses(point, windows, latency))


def _misses(point: LoadPoint, windows: Sequence[Window], latency: Latency) -> Iterator[str]:
    for name, limit in limits(latency).items():
        value = getattr(point, f"{name}_ms")
        worst = 0.0 if point.stable else _worst(windows, name)
        if not value <= limit:
            yield f"{name} is {value:.3g} ms, over the budget of {limit:g} ms"
        elif worst > limit:
            yield f"{name} is not stable: {worst:.3g} ms in one window, over the budget of {limit:g} ms"
    floor = latency.throughput_min
    if floor is None:
        return
    lowest = floor if point.stable else min((one.throughput for one in windows), default=0.0)
    if not point.throughput >= floor:
        yield f"throughput is {point.throughput:.4g} rows/s, under the budget of {floor:g} rows/s"
    elif lowest < floor:
        yield f"throughput is not stable: {lowest:.4g} rows/s in one window, under {floor:g} rows/s"


def _worst(windows: Sequence[Window], name: str) -> float:
    told = [one.latency_ms[name] for one in windows if name in one.latency_ms]
    return math.inf if not told or any(map(math.isnan, told)) else max(told)


def _because(error: str) -> str:
    return f": {error}" if error else ""
