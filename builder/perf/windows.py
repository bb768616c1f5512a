"""Measurement windows: their figures, and when they are stable."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Nanoseconds = npt.NDArray[np.int64]

PERCENTILES: Final = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
STABLE_WINDOWS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one window showed."""

    throughput: float
    """Rows per second."""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """By `p50`, `p90`, `p95`, `p99`, `mean`; an engine may know only some."""


def window(latencies: Nanoseconds, *, seconds: float, batch: int) -> Window:
    """Return the figures of requests that were answered within `seconds`, in rows of `batch` each."""
    return Window(throughput=len(latencies) * batch / seconds, latency_ms=percentiles(latencies))


def percentiles(latencies: Nanoseconds) -> dict[str, float]:
    """Return p50, p90, p95, p99 and mean in milliseconds: nan when there is no request.

    A percentile is a latency that was seen: the smallest that this share of the requests did not exceed.
    """
    if not len(latencies):
        return dict.fromkeys((*PERCENTILES, "mean"), math.nan)
    ordered = np.sort(latencies)
    ranks = {name: math.ceil(len(ordered) * percent / 100) - 1 for name, percent in PERCENTILES.items()}
    return {name: float(ordered[rank]) / 1e6 for name, rank in ranks.items()} | {
        "mean": float(ordered.mean()) / 1e6
    }


def are_stable(windows: Sequence[Window], *, watched: str, within: float) -> bool:
    """Whether the last three windows agree, as perf_analyzer means it.

    None is without an answer, and neither the throughput nor the `watched` latency of one exceeds that of
    another
    by more than `within` (0.1: a tenth).
    """
    last = windows[-STABLE_WINDOWS:]
    if len(last) < STABLE_WINDOWS or any(one.throughput == 0 for one in last):
        return False
    series = ([one.throughput for one in last], [one.latency_ms[watched] for one in last])
    # Each against each: a nan is then unstable, which max and min would overlook.
    return all(one <= other * (1 + within) for values in series for one in values for other in values)
