"""A signal ends the process like an exception, but never in the middle of what is held."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from builder.server.docker.signals import Signals, as_exceptions

EXCEPTIONS = [
    (signal.SIGTERM, SystemExit),
    (signal.SIGHUP, SystemExit),
    (signal.SIGINT, KeyboardInterrupt),
]
Say = Callable[[str], None]


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Begin with the handlers of a Python that has just started, and put back those of before."""
    before = {number: signal.getsignal(number) for number, _ in EXCEPTIONS}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def said_until(ending: type[BaseException], work: Callable[[Signals, Say], None]) -> list[str]:
    """Return what `work` said before it ended."""
    said: list[str] = []
    with pytest.raises(ending), as_exceptions() as signals:
        work(signals, said.append)
    return said


@pytest.mark.parametrize(("number", "ending"), EXCEPTIONS)
def test_a_signal_is_an_exception_at_once(number: int, ending: type[BaseException]) -> None:
    """Where nothing is held, what is open is closed on the way out."""

    def work(_: Signals, say: Say) -> None:
        try:
            send(number)
            say("went on")
        finally:
            say("closed")

    assert said_until(ending, work) == ["closed"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_terminated_process_ends_with_the_shells_code(number: int, code: int) -> None:
    """SIGTERM is 143, a terminal that closes 129."""
    with pytest.raises(SystemExit) as caught, as_exceptions():
        send(number)

    assert caught.value.code == code


@pytest.mark.parametrize(("number", "ending"), EXCEPTIONS)
def test_a_held_signal_acts_at_the_end_of_the_block(number: int, ending: type[BaseException]) -> None:
    """What is held is finished first, and nothing comes after it."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            send(number)
            say("held")
        say("after")

    assert said_until(ending, work) == ["held"]


def test_a_signal_within_two_blocks_acts_at_the_end_of_the_outer_one() -> None:
    """The end of the inner block is the middle of the outer one."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            with signals.held():
                send(signal.SIGINT)
            say("outer")
        say("after")

    assert said_until(KeyboardInterrupt, work) == ["outer"]


def test_a_block_that_fails_says_why() -> None:
    """Its failure ends the process as the signal would, and tells more."""

    def work(signals: Signals, _: Say) -> None:
        with signals.held():
            send(signal.SIGTERM)
            raise LookupError

    assert said_until(LookupError, work) == []


def test_a_signal_outlives_a_failure_that_was_foreseen() -> None:
    """Where the failure of a block is dealt with, the signal acts at the end of the next."""

    def work(signals: Signals, say: Say) -> None:
        with suppress(LookupError), signals.held():
            send(signal.SIGTERM)
            raise LookupError
        with signals.held():
            say("next")
        say("after")

    assert said_until(SystemExit, work) == ["next"]


def test_a_block_through_which_nothing_came_changes_nothing() -> None:
    """After it, the next signal acts at once."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            say("held")
        send(signal.SIGTERM)
        say("went on")

    assert said_until(SystemExit, work) == ["held"]


def test_the_handlers_of_before_are_back_after_it() -> None:
    """Whether the block ends well or with a signal."""
    with as_exceptions():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    with pytest.raises(SystemExit), as_exceptions():
        send(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_two_uses_hold_together() -> None:
    """With two containers the handlers stay until both have ended, and what one holds the other does not cut in two."""

    def work(outer: Signals, say: Say) -> None:
        with as_exceptions() as inner:
            assert inner is outer
        with outer.held():
            send(signal.SIGTERM)
            say("held")
        say("after")

    assert said_until(SystemExit, work) == ["held"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_two_uses_hold_together_where_sigterm_is_the_callers_own() -> None:
    """Ctrl-C is held by the inner use too, though only the outer one has its handler."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def work(_: Signals, say: Say) -> None:
        with as_exceptions() as inner, inner.held():
            send(signal.SIGINT)
            say("held")

    assert said_until(KeyboardInterrupt, work) == ["held"]


@pytest.mark.parametrize("theirs", [signal.SIG_IGN, lambda *_: None])
def test_a_handler_of_the_callers_own_is_left_alone(theirs: signal.Handlers) -> None:
    """SIGTERM does what the caller has it do, during the block and after."""
    signal.signal(signal.SIGTERM, theirs)

    with as_exceptions():
        send(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is theirs
    assert signal.getsignal(signal.SIGTERM) is theirs


def test_another_thread_leaves_the_handlers_alone() -> None:
    """Only the main thread may set them; elsewhere the block is just run."""
    found: list[object] = []

    def use() -> None:
        with as_exceptions() as signals, signals.held():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()

    assert found == [signal.SIG_DFL]
