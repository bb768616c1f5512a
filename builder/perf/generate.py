"""Load from threads of our own: each sends, waits, notes the time, and sends again."""

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from math import ceil
from typing import Final

import numpy as np

from builder.perf.load import Load
from builder.perf.schedule import arrivals
from builder.perf.windows import Nanoseconds
from builder.perf.wire import Send, open_sender
from builder.server.endpoint import Endpoint

MOST_IN_FLIGHT: Final = 128
"""Senders of an open loop. When all wait for answers, the next request is late, and that is counted."""

_FEWEST_SENDERS: Final = 8
_AFTER_ERROR_S: Final = 0.002
_JOIN_SLACK_S: Final = 5.0
_PR_SET_TIMERSLACK: Final = 29

Due = Callable[[], int | None]
"""Returns when the next request is due (perf_counter_ns), or None: at once."""


@dataclass(slots=True)
class Tally:
    """What one sender has seen so far. Its thread appends; others read, never beyond the length of `ends`."""

    latencies: list[int] = field(default_factory=list)
    """Nanoseconds from the moment the request was due to its answer."""
    ends: list[int] = field(default_factory=list)
    """perf_counter_ns of each answer."""
    errors: list[int] = field(default_factory=list)
    """perf_counter_ns of each failure."""
    first_error: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A load that is on."""

    tallies: Sequence[Tally]

    def between(self, start_ns: int, end_ns: int) -> Nanoseconds:
        """Return the latencies of the requests answered in this time."""
        return np.concatenate([_between(tally, start_ns, end_ns) for tally in self.tallies])

    def errors(self, start_ns: int, end_ns: int) -> int:
        """Return how many requests failed in this time."""
        return sum(start_ns <= at < end_ns for tally in self.tallies for at in tuple(tally.errors))

    @property
    def has_ended_one(self) -> bool:
        """Whether a request was answered, or failed."""
        return any(tally.ends or tally.errors for tally in self.tallies)

    @property
    def first_error(self) -> str:
        """What the first failure said; empty when there was none."""
        failed = [tally for tally in self.tallies if tally.errors]
        return min(failed, key=lambda tally: tally.errors[0]).first_error if failed else ""


@contextmanager
def generate(
    endpoint: Endpoint, load: Load, bodies: Sequence[bytes], *, timeout_s: float
) -> Iterator[Running]:
    """Keep `load` up for as long as the context lasts, with `bodies` in turn.

    Latency counts from the moment a request was *due*: a server that stalls an open loop is charged for every
    request that had to wait for the stall, not only for the one that met it.
    """
    stop = threading.Event()
    tallies = [Tally() for _ in range(_senders(load))]
    due = _due(load)
    with ExitStack() as stack:
        senders = [
            stack.enter_context(open_sender(endpoint, load.protocol, timeout_s=timeout_s)) for _ in tallies
        ]
        threads = [
            threading.Thread(target=_drive, args=(send, _turns(bodies, k), due, tally, stop), daemon=True)
            for k, (send, tally) in enumerate(zip(senders, tallies, strict=True))
        ]
        stack.callback(_end, threads, stop, timeout_s)
        for thread in threads:
            thread.start()
        yield Running(tallies)


def _senders(load: Load) -> int:
    if load.concurrency is not None:
        return load.concurrency
    return min(MOST_IN_FLIGHT, max(_FEWEST_SENDERS, ceil(load.rate or 0)))


def _due(load: Load) -> Due:
    if load.rate is None:
        return lambda: None
    moments, start, lock = arrivals(load.rate, load.arrivals), time.perf_counter_ns(), threading.Lock()

    def due() -> int:
        with lock:  # a generator cannot be entered by two threads at once
            return start + int(next(moments) * 1e9)

    return due


def _turns(bodies: Sequence[bytes], first: int) -> Iterator[bytes]:
    return islice(cycle(bodies), first % len(bodies), None)


def _drive(send: Send, bodies: Iterator[bytes], due: Due, tally: Tally, stop: threading.Event) -> None:
    _wake_promptly()
    while not stop.is_set():
        moment = due()
        if moment is None:
            moment = time.perf_counter_ns()
        elif (wait_s := (moment - time.perf_counter_ns()) / 1e9) > 0 and stop.wait(wait_s):
            return
        problem = send(next(bodies))
        now = time.perf_counter_ns()
        if problem:
            tally.first_error = tally.first_error or problem
            tally.errors.append(now)
            stop.wait(_AFTER_ERROR_S)  # a server that refuses at once would make this a busy loop
        else:
            tally.latencies.append(now - moment)
            tally.ends.append(now)


def _wake_promptly() -> None:
    """Ask Linux not to round this thread's waits up by 50 us: the lateness would be charged to the server."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def _end(threads: Sequence[threading.Thread], stop: threading.Event, timeout_s: float) -> None:
    stop.set()
    give_up = time.monotonic() + timeout_s + _JOIN_SLACK_S
    for thread in threads:
        thread.join(max(0.0, give_up - time.monotonic()))


def _between(tally: Tally, start_ns: int, end_ns: int) -> Nanoseconds:
    count = len(tally.ends)
    ends = np.fromiter(tally.ends[:count], np.int64, count)
    latencies = np.fromiter(tally.latencies[:count], np.int64, count)
    return latencies[(ends >= start_ns) & (ends < end_ns)]


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Spare the garbage collector what exists already: going through it would pause all senders at once."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
