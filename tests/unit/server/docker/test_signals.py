"""A signal ends the process like an exception, but never in the middle of what is held."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from builder.errors import Interrupted
from builder.server.docker.signals import Signals, as_exceptions

CODES = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
Say = Callable[[str], None]


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Begin with the handlers of a Python that has just started, and put back those of before."""
    before = {number: signal.getsignal(number) for number, _ in CODES}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def said_until(ending: type[BaseException], work: Callable[[Signals, Say], None]) -> list[str]:
    """Return what `work` said before it was ended."""
    said: list[str] = []
    with pytest.raises(ending), as_exceptions() as signals:
        work(signals, said.append)
    return said


@pytest.mark.parametrize("number", [number for number, _ in CODES])
def test_a_signal_is_an_exception_at_once(number: int) -> None:
    """Where nothing is held, what is open is closed on the way out."""

    def work(_: Signals, say: Say) -> None:
        try:
            send(number)
            say("went on")
        finally:
            say("closed")

    assert said_until(Interrupted, work) == ["closed"]


@pytest.mark.parametrize(("number", "code"), CODES)
def test_it_ends_with_the_shells_code(number: int, code: int) -> None:
    """It tells the code of its signal to whoever ends the process."""
    with pytest.raises(Interrupted) as caught, as_exceptions():
        send(number)

    assert caught.value.exit_code == code


class Closing:
    """Something that is closed when it is no longer used, just as a signal comes."""

    def __del__(self) -> None:
        send(signal.SIGTERM)
        time.sleep(0)  # here its exception is raised, and here it ends


def lose_one() -> None:
    """Let a signal come where what it raises goes no further: Python says so on stderr, and goes on."""
    Closing()


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the kinds of what was raised where it goes no further."""
    kinds: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: kinds.append(what.exc_type))
    return kinds


def test_a_signal_that_is_lost_is_sent_again(lost: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way does not have to come to its end, which may be far."""
    monkeypatch.setattr("builder.server.docker.signals._LOST_S", 0.05)

    def work(_: Signals, say: Say) -> None:
        lose_one()
        say("went on")
        threading.Event().wait(60)
        say("after")

    assert said_until(Interrupted, work) == ["went on"]
    assert lost == [Interrupted]


def test_one_that_is_lost_ends_the_process_at_the_end_at_the_latest(lost: list[object]) -> None:
    """A job that was cancelled does not pass for one that succeeded."""

    def work(_: Signals, say: Say) -> None:
        lose_one()
        say("all of it")

    assert said_until(Interrupted, work) == ["all of it"]
    assert lost == [Interrupted]


def test_one_that_is_lost_in_the_middle_acts_after_what_is_held(lost: list[object]) -> None:
    """As one that comes there."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            with signals.let_through():
                lose_one()
                say("went on")
            say("held")
        say("after")

    assert said_until(Interrupted, work) == ["went on", "held"]
    assert lost == [Interrupted]


def test_one_that_a_bare_except_takes_is_not_lost() -> None:
    """Nobody's `except:` keeps a process that is to end."""

    def work(_: Signals, say: Say) -> None:
        with suppress(BaseException):
            send(signal.SIGTERM)
        say("all of it")

    assert said_until(Interrupted, work) == ["all of it"]


def test_nothing_is_left_that_could_send_one() -> None:
    """The thread that watches is gone with the block."""
    before = set(threading.enumerate())
    with as_exceptions():
        (watcher,) = set(threading.enumerate()) - before
    assert not watcher.is_alive()


@pytest.mark.parametrize("number", [number for number, _ in CODES])
def test_a_held_signal_acts_at_the_end_of_the_block(number: int) -> None:
    """What is held is finished first, and nothing comes after it."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            send(number)
            say("held")
        say("after")

    assert said_until(Interrupted, work) == ["held"]


def test_a_signal_within_two_blocks_acts_at_the_end_of_the_outer_one() -> None:
    """The end of the inner block is the middle of the outer one."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            with signals.held():
                send(signal.SIGINT)
            say("outer")
        say("after")

    assert said_until(Interrupted, work) == ["outer"]


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

    assert said_until(Interrupted, work) == ["next"]


def test_a_block_through_which_nothing_came_changes_nothing() -> None:
    """After it, the next signal acts at once."""

    def work(signals: Signals, say: Say) -> None:
        with signals.held():
            say("held")
        send(signal.SIGTERM)
        say("went on")

    assert said_until(Interrupted, work) == ["held"]


def test_the_handlers_of_before_are_back_after_it() -> None:
    """Whether the block ends well or with a signal."""
    with as_exceptions():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    with pytest.raises(Interrupted), as_exceptions():
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

    assert said_until(Interrupted, work) == ["held"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_two_uses_hold_together_where_sigterm_is_the_callers_own() -> None:
    """Ctrl-C is held by the inner use too, though only the outer one has its handler."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def work(_: Signals, say: Say) -> None:
        with as_exceptions() as inner, inner.held():
            send(signal.SIGINT)
            say("held")

    assert said_until(Interrupted, work) == ["held"]


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
