"""NVIDIA's perf_analyzer, out of the one wheel that carries it and runs on glibc 2.36."""

import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder import shell
from builder.errors import MissingTool
from builder.perf import nvidia_output, ours
from builder.perf.load import PROTOCOLS, Load
from builder.perf.nvidia_input import write_input
from builder.perf.nvidia_output import Row
from builder.perf.requests import shapes
from builder.perf.settings import OnStep, Settings
from builder.perf.target import Target
from builder.perf.windows import STABLE_WINDOWS, Window, are_stable
from builder.server.embedded import PERF_ANALYZER, fetch_wheel, server_libraries
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.results import LoadPoint

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = f"perf_analyzer {PERF_ANALYZER.version}"
_BINARY: Final = f"tritonclient-{PERF_ANALYZER.version}.data/data/bin/perf_analyzer"
_LIBRARIES: Final = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
_ANY_STABILITY: Final = 1e6
_UNSTABLE: Final = 2
_OPENING_S: Final = 120.0
_WINDOW_SLACK: Final = 1.2  # it sleeps this much longer than a window, so that slow requests end inside


class CannotMeasure(Exception):
    """perf_analyzer cannot give this figure; the text says why."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of perf_analyzer that ended as it should."""

    windows: tuple[Window, ...]
    row: Row | None
    """None: it found no stable measurement."""


def why_not(target: Target, load: Load, feeds: Sequence[Feed]) -> str:
    """Return why perf_analyzer cannot measure this; empty if it can."""
    if DType.BF16 in target.dtypes.values():
        return "perf_analyzer reads no bf16 inputs"
    if load.batch > 1 and len({shapes(feed) for feed in feeds}) > 1:
        return "perf_analyzer cannot batch rows of different shapes"
    return ""


def binary() -> Path:
    """Return perf_analyzer, fetching its wheel the first time.

    Raises:
        MissingTool: this machine cannot run it, or it cannot be fetched.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise MissingTool("perf_analyzer exists for Linux on x86_64 only", fix="use `--engine trb`")
    return fetch_wheel(PERF_ANALYZER) / _BINARY


def measure_point(
    target: Target, load: Load, feeds: Sequence[Feed], settings: Settings, *, on_step: OnStep
) -> tuple[LoadPoint, tuple[Window, ...]]:
    """Return the figures of one level of load and the windows behind them.

    perf_analyzer prints no figures for a level that is not stable. It then runs again for three windows at
    any stability, once per budgeted percentile, because it tells only one percentile of each window.

    Raises:
        CannotMeasure: it ended without a figure, as it does when a request fails.
        MissingTool: it cannot be had here.
    """
    window_s, problem = ours.warm_up(target, load, feeds, settings)
    if problem:
        raise CannotMeasure(f"{NAME} stops at the first failed request")
    with _workplace(target, feeds) as place:
        run = partial(_run, place, target, load, window_s=window_s)
        first = run(watched=settings.watched, max_windows=settings.max_windows, stability=settings.stability)
        for number, one in enumerate(first.windows, start=1):
            on_step(f"{load}, window {number}: {_latency(one)}, {one.throughput:.4g} rows/s")
        # Judged again: with --async it looks at the throughput alone.
        if first.row and are_stable(first.windows, watched=settings.watched, within=settings.stability):
            return _point(load, first.row, settings, stable=True), first.windows
        on_step(f"{load}: not stable in {len(first.windows)} windows; taking three as they come")
        more = [
            run(watched=percentile, max_windows=STABLE_WINDOWS, stability=_ANY_STABILITY)
            for percentile in settings.budgeted or (settings.watched,)
        ]
    if more[-1].row is None:
        raise CannotMeasure(f"{NAME} saw a window without an answer")
    return _point(load, more[-1].row, settings, stable=False), tuple(
        w for one in (first, *more) for w in one.windows
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where perf_analyzer runs."""

    program: Path
    folder: Path
    inputs: Path


@contextmanager
def _workplace(target: Target, feeds: Sequence[Feed]) -> "Iterator[_Place]":
    program, libraries = binary(), server_libraries()
    with tempfile.TemporaryDirectory(prefix="trb-perf-") as name:
        folder = Path(name)
        for link, pattern in _LIBRARIES.items():
            (folder / link).symlink_to(next(libraries.glob(pattern)))
        write_input(
            [target.as_served(feed) for feed in feeds],
            target.dtypes,
            folder / "inputs.json",
            batches=target.max_batch_size > 0,
        )
        yield _Place(program, folder, folder / "inputs.json")


def _run(
    place: _Place,
    target: Target,
    load: Load,
    *,
    window_s: float,
    watched: str,
    max_windows: int,
    stability: float,
) -> _Run:
    table = place.folder / "figures.csv"
    table.unlink(missing_ok=True)
    done = shell.run(
        [
            *(str(place.program), *_what(target, load), *_load(load), "--input-data", str(place.inputs)),
            *("--measurement-interval", str(round(window_s * 1000)), "--max-trials", str(max_windows)),
            *("--stability-percentage", f"{stability * 100:.12g}", "--percentile", watched.removeprefix("p")),
            *("-v", "-f", str(table), "--verbose-csv"),
        ],
        timeout_s=_OPENING_S + 2 * _WINDOW_SLACK * max_windows * window_s,
        env=os.environ | {"LD_LIBRARY_PATH": str(place.folder)} | _proxies(target),
        check=False,
    )
    scale = load.batch if target.max_batch_size == 0 else 1
    found = nvidia_output.windows(done.stdout, rows=scale)
    if done.returncode == _UNSTABLE:
        return _Run(found, None)
    if done.returncode != 0:
        raise CannotMeasure(f"{NAME} ended with {done.returncode}: {_last_words(done.stderr)}")
    return _Run(found, nvidia_output.row(table.read_text(encoding="utf-8"), done.stdout, load, rows=scale))


def _what(target: Target, load: Load) -> tuple[str, ...]:
    address = target.endpoint.grpc if load.protocol == "grpc" else target.endpoint.http
    batch = load.batch if target.max_batch_size else 1
    return (
        *("-m", target.triton_name, "-x", str(target.version), "-u", address, "-i", load.protocol),
        *("-b", str(batch)),
    )


def _proxies(target: Target) -> dict[str, str]:
    """Keep a proxy of the environment out of the way to a server on this machine."""
    names = ("no_proxy", "NO_PROXY", "no_grpc_proxy") if target.endpoint.kind != "url" else ()
    return dict.fromkeys(names, target.endpoint.grpc.rpartition(":")[0])


def _load(load: Load) -> tuple[str, ...]:
    if load.rate is None:
        return ("--concurrency-range", f"{load.concurrency}:{load.concurrency}:1")
    # Asynchronous: else its few threads would wait for answers, and the loop would not be open.
    return (
        "--request-rate-range",
        f"{load.rate:g}:{load.rate:g}:1",
        "--request-distribution",
        load.arrivals,
        "--async",
    )


def _point(load: Load, row: Row, settings: Settings, *, stable: bool) -> LoadPoint:
    latency_ms = row.latency_ms
    return LoadPoint(
        load=str(load),
        batch=load.batch,
        protocol=PROTOCOLS[load.protocol],
        engine=NAME,
        stable=stable,
        throughput=row.throughput,
        p50_ms=latency_ms["p50"],
        p90_ms=latency_ms["p90"],
        p95_ms=latency_ms["p95"],
        p99_ms=latency_ms["p99"],
        mean_ms=latency_ms["mean"],
        requests=row.requests,
        errors=0,
        windows=STABLE_WINDOWS,
        warmup_s=settings.warmup_s,
        watched=settings.watched,
        split=row.split,
    )


def _latency(window: Window) -> str:
    return ", ".join(f"{name} {value:.3g} ms" for name, value in window.latency_ms.items())


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " ".join(lines[:2])[:300] or "it said nothing"
