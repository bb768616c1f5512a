"""SIGTERM, SIGHUP and Ctrl-C as exceptions that wait while something must not be cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""What a process is ended by: a job that is cancelled, a terminal that closes, Ctrl-C."""


class Signals:
    """What has come, and whether it may be acted on now."""

    def __init__(self) -> None:
        """Begin with nothing held and nothing come."""
        self._holders = 0
        self._waiting: int | None = None

    def come(self, number: int, _: FrameType | None) -> None:
        """Act on a signal, or keep it for the end of `held`."""
        if self._holders:
            self._waiting = number
        else:
            _act_on(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep what comes until the outermost such block ends, and act on it then; a failure of that comes before."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
        if not self._holders:
            self._act_on_what_waits()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Within `held`, act on what has come and what comes until this block ends: only a `try` around it sees it."""
        holders, self._holders = self._holders, 0
        try:
            self._act_on_what_waits()
            yield
        finally:
            self._holders = holders

    def _act_on_what_waits(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            _act_on(waiting)


@contextmanager
def as_exceptions() -> Iterator[Signals]:
    """Make a signal end this process as an exception does, so that what is open is closed; Ctrl-C does it anyway.

    Signals that the caller handles in a way of its own, or a thread that is not the main one, are left alone.
    """
    usual: dict[int, Any] = {
        **dict.fromkeys(ENDING, signal.SIG_DFL),
        signal.SIGINT: signal.default_int_handler,
    }
    for number in usual:
        outer = getattr(signal.getsignal(number), "__self__", None)
        if isinstance(outer, Signals):  # two containers at once
            yield outer
            return
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    ours = [number for number, handler in usual.items() if signal.getsignal(number) is handler]
    for number in ours:
        signal.signal(number, signals.come)
    try:
        yield signals
    finally:
        for number in ours:
            signal.signal(number, usual[number])


def _act_on(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)  # as a shell says it
