"""How long and how strictly to measure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Engine = Literal["auto", "perf_analyzer", "trb"]
OnStep = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one point of load is measured by."""

    window_s: float = 2.0
    """Length of a window in seconds; longer for a model that would answer fewer than ten times in it."""

    max_windows: int = 10
    """Windows after which a point counts as not stable."""

    stability: float = 0.1
    """How far the last three windows may differ, in throughput and in the watched latency; 0.1 is a tenth."""

    warmup_s: float = 1.0
    """Seconds of load discarded before the first window."""

    watched: str = "p50"
    """The latency that has to be stable: p50, p90, p95 or p99."""

    budgeted: tuple[str, ...] = ()
    """The percentiles that have a budget at this point."""

    timeout_s: float = 60.0
    """Seconds after which a request without an answer counts as an error."""
