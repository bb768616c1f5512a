"""Whatever ends a server in a container, and whenever, its container is removed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from builder.errors import Interrupted, ServerError
from builder.server.docker import ours, run, signals
from builder.server.docker.daemon import Daemon
from builder.server.serving import Container, Serving
from builder.spec.releases import release
from tests.fakes.docker_daemon import FakeDaemon

IMAGE = "triton:1"
LOCAL = "unix:///var/run/docker.sock"
WATCHED = {module.__file__ for module in (run, ours, signals)}


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put back the handlers of before."""
    before = {number: signal.getsignal(number) for number in signals.ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    (tmp_path / "m" / "1").mkdir(parents=True)
    return Serving(repository=tmp_path, release=release("24.10"), container=Container(image=IMAGE))


class Interrupting:
    """Sends a signal at a chosen line of what makes and ends a container, from its making on."""

    def __init__(self, daemon: FakeDaemon, at: int) -> None:
        self.daemon, self.left = daemon, at

    def __call__(self, frame: FrameType, event: str, _: Any) -> "Interrupted | None":
        if frame.f_code.co_filename not in WATCHED:
            return None
        has_handler = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        if event == "line" and self.daemon.made and has_handler:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGTERM)
        return self


def ends_of(fake: FakeDaemon, daemon: Daemon, serving: Serving, at: int) -> tuple[type[BaseException], bool]:
    """Return how a start ends that is interrupted at line `at`, and whether it came so far."""
    fake.made.clear()
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_DFL)
    interrupting = Interrupting(fake, at)
    sys.settrace(interrupting)
    try:
        with signals.as_exceptions() as ours, run.started(daemon, serving, ours, lambda _: None):
            pytest.fail("it was served")
    except (Exception, Interrupted) as error:  # noqa: BLE001 - whatever it is
        return type(error), interrupting.left <= 0
    finally:
        sys.settrace(None)


def test_wherever_a_signal_comes_no_container_is_left(serving: Serving) -> None:
    """In the middle of its making, of its failing, of its removal, and between these."""
    endings = set()
    at, came = 0, True
    fake = FakeDaemon(images={IMAGE: {"Id": "sha256:0123", "Architecture": "amd64"}})
    with fake.connected(LOCAL) as daemon:
        while came:
            at += 1
            ending, came = ends_of(fake, daemon, serving, at)
            assert (len(fake.made), fake.containers) == (1, {}), f"at line {at}"
            endings.add(ending)

    assert at > 20
    assert endings == {Interrupted, ServerError}
