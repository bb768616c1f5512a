"""Our own engine: one point of load, window by window."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from builder.perf.generate import Running, generate, quiet_collector
from builder.perf.load import PROTOCOLS, Load
from builder.perf.settings import OnStep, Settings
from builder.perf.target import Target, split
from builder.perf.windows import STABLE_WINDOWS, Nanoseconds, Window, are_stable, percentiles, window
from builder.perf.wire import request_bytes
from builder.server.statistics import Statistics
from builder.spec.loaded import Feed
from builder.spec.results import LoadPoint

NAME: Final = "trb"
_REQUESTS_PER_WINDOW: Final = 10
_LONGEST_WINDOW_S: Final = 60.0
_POLL_S: Final = 0.05
_MOST_BODY_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class _Lap:
    """One window and what the server said at its end."""

    start_ns: int
    end_ns: int
    latencies: Nanoseconds
    errors: int
    figures: Window
    after: Statistics


def measure_point(
    target: Target,
    load: Load,
    feeds: Sequence[Feed],
    settings: Settings,
    *,
    engine: str = NAME,
    on_step: OnStep,
) -> tuple[LoadPoint, tuple[Window, ...]]:
    """Keep `load` up; return the figures of the last three windows once they agree, and every window.

    Args:
        target: the live model.
        load: how hard to drive it.
        feeds: whole requests of `load.batch` rows, sent in turn.
        settings: windows and warm-up.
        engine: the name in the result, where it tells more than ours.
        on_step: hears one line per window.
    """
    bodies = _bodies(target, load, feeds)
    # The collection comes first: with the load on, the warm-up would see it as latency, and windows grow with that.
    with quiet_collector(), generate(target.endpoint, load, bodies, timeout_s=settings.timeout_s) as running:
        window_s = _warm(running, settings)
        before = target.statistics()
        laps: list[_Lap] = []
        while len(laps) < settings.max_windows and not _is_settled(laps, settings):
            # Without a gap: what a stalled server answers while it is asked for its counts is not lost.
            start = laps[-1].end_ns if laps else time.perf_counter_ns()
            laps.append(_lap(running, target, load, start, window_s))
            on_step(_line(load, laps))
    return _point(load, laps, before, settings, engine, running.first_error), tuple(
        lap.figures for lap in laps
    )


def warm_up(target: Target, load: Load, feeds: Sequence[Feed], settings: Settings) -> tuple[float, str]:
    """Keep `load` up for the warm-up alone; return the seconds of a fitting window, and the first failure."""
    with generate(
        target.endpoint, load, _bodies(target, load, feeds), timeout_s=settings.timeout_s
    ) as running:
        return _warm(running, settings), running.first_error


def _bodies(target: Target, load: Load, feeds: Sequence[Feed]) -> list[bytes]:
    bodies: list[bytes] = []
    for feed in feeds:
        if bodies and sum(map(len, bodies)) > _MOST_BODY_BYTES:
            break
        bodies.append(
            request_bytes(
                load.protocol,
                target.triton_name,
                target.version,
                target.as_served(feed),
                target.dtypes,
                target.endpoint.http,
            )
        )
    return bodies


def _warm(running: Running, settings: Settings) -> float:
    """Discard the warm-up; return a window long enough for the latency it showed, in seconds."""
    start = time.perf_counter_ns()
    time.sleep(settings.warmup_s)
    give_up = time.monotonic() + settings.timeout_s
    while not running.has_ended_one and time.monotonic() < give_up:
        time.sleep(_POLL_S)  # a model slower than the warm-up: a window must be longer than its answer
    seen = running.between(start, time.perf_counter_ns())
    slowest_s = float(seen.mean()) / 1e9 if len(seen) else 0.0
    return min(_LONGEST_WINDOW_S, max(settings.window_s, _REQUESTS_PER_WINDOW * slowest_s))


def _lap(running: Running, target: Target, load: Load, start: int, window_s: float) -> _Lap:
    time.sleep(max(0.0, start / 1e9 + window_s - time.perf_counter()))
    end = time.perf_counter_ns()
    latencies = running.between(start, end)
    figures = window(latencies, seconds=(end - start) / 1e9, batch=load.batch)
    return _Lap(start, end, latencies, running.errors(start, end), figures, target.statistics())


def _is_settled(laps: Sequence[_Lap], settings: Settings) -> bool:
    if laps and laps[-1].errors and not len(laps[-1].latencies):
        return True  # nothing but failures: more of them tell nothing new
    return are_stable([lap.figures for lap in laps], watched=settings.watched, within=settings.stability)


def _point(
    load: Load, laps: Sequence[_Lap], before: Statistics, settings: Settings, engine: str, first_error: str
) -> LoadPoint:
    figures = [lap.figures for lap in laps]
    last = laps[-STABLE_WINDOWS:]
    merged = np.concatenate([lap.latencies for lap in last])
    earlier = laps[-STABLE_WINDOWS - 1].after if len(laps) > STABLE_WINDOWS else before
    seconds = sum(lap.end_ns - lap.start_ns for lap in last) / 1e9
    latency_ms = percentiles(merged)
    return LoadPoint(
        load=str(load),
        batch=load.batch,
        protocol=PROTOCOLS[load.protocol],
        engine=engine,
        stable=are_stable(figures, watched=settings.watched, within=settings.stability),
        throughput=len(merged) * load.batch / seconds,
        p50_ms=latency_ms["p50"],
        p90_ms=latency_ms["p90"],
        p95_ms=latency_ms["p95"],
        p99_ms=latency_ms["p99"],
        mean_ms=latency_ms["mean"],
        requests=len(merged),
        errors=sum(lap.errors for lap in laps),
        first_error=first_error,
        windows=len(last),
        warmup_s=settings.warmup_s,
        watched=settings.watched,
        split=split(earlier, last[-1].after),
    )


def _line(load: Load, laps: Sequence[_Lap]) -> str:
    figures = laps[-1].figures
    median = figures.latency_ms["p50"]
    shown = "no answer" if math.isnan(median) else f"p50 {median:.3g} ms, {figures.throughput:.4g} rows/s"
    return f"{load}, window {len(laps)}: {shown}"
