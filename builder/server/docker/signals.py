"""SIGTERM, SIGHUP and Ctrl-C as exceptions that wait while something must not be cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Final

from builder.errors import Interrupted

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""What a process is ended by: a job that is cancelled, a terminal that closes, Ctrl-C."""
_LOST_S: Final = 2.0
"""Longer than the way out takes, and well within the 10 s after which `docker stop` and its like kill."""
_ARRIVED: Final = 0
_OVER: Final = -1


class Signals:
    """What has come, and whether it may be acted on now."""

    def __init__(self) -> None:
        """Begin with nothing held and nothing come."""
        self._holders = 0
        self._waiting: int | None = None
        self._raised: int | None = None
        self._news: SimpleQueue[int] = SimpleQueue()  # the one queue that a signal's handler may put into

    def come(self, number: int, _: FrameType | None) -> None:
        """Act on a signal, or keep it for the end of `held`."""
        if self._holders:
            self._waiting = number
        else:
            self._act_on(number)

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
            self._arrived()

    @contextmanager
    def sent_again(self) -> Iterator[None]:
        """As `let_through`; and a signal whose exception gets lost is sent again, and acted on at the latest after it.

        What is raised in a `__del__` or in the callback of a weak reference, which run between any two lines, goes no
        further, and a bare `except` may be in the way.
        """
        watcher = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)
        watcher.start()
        try:
            with self.let_through():
                yield
        finally:
            self._news.put(_OVER)
            watcher.join()

    def _watch(self, thread: int) -> None:
        # They are for the main thread, which may wait for one.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        raised = _ARRIVED
        while raised != _OVER:
            try:
                raised = self._news.get(timeout=_LOST_S if raised else None)
            except Empty:
                signal.pthread_kill(thread, raised)

    def _arrived(self) -> None:
        """Keep what was raised, which is on its way out or lost: only where it is lost does `held` come to its end."""
        if self._raised is not None:
            self._waiting, self._raised = self._raised, None
            self._news.put(_ARRIVED)

    def _act_on_what_waits(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._act_on(waiting)

    def _act_on(self, number: int) -> None:
        self._raised = number
        self._news.put(number)
        raise Interrupted(number)


@contextmanager
def as_exceptions() -> Iterator[Signals]:
    """Make a signal end this process as an exception does, so that what is open is closed.

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
    with signals.held():
        try:
            for number in ours:
                signal.signal(number, signals.come)
            with signals.sent_again():
                yield signals
        finally:
            for number in ours:
                signal.signal(number, usual[number])
