"""What every test stands on: unit tests are sealed off from processes and sockets, live tests are marked."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
_FORBIDDEN = {
    "subprocess.Popen": "start a process",
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.posix_spawn": "start a process",
    "os.system": "start a process",
    "os.exec": "start a process",
    "socket.__new__": "open a socket",
    "socket.connect": "open a socket",
    "socket.bind": "open a socket",
}
_sealed = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a shell, where all that is started ignores it too; tests end commands by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:
    # More threads than cores: one of torch's that spins while it waits keeps the one that it waits for off its core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


# How long an example takes says more of the machine, and of what else runs on it, than of us.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def _seal(event: str, arguments: tuple[object, ...]) -> None:
    if _sealed and event in _FORBIDDEN:
        # pytest's own exception is not an Exception: no `except` of ours can swallow it.
        pytest.fail(f"a unit test may not {_FORBIDDEN[event]}: {event} {arguments!r:.200}")


sys.addaudithook(_seal)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything under tests/live; files with slow tests come first, lest a parallel run ends with one."""
    for item in items:
        if (TESTS / "live") in item.path.parents:
            item.add_marker("live")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def sealed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make a unit test fail when it starts a process or opens a socket."""
    global _sealed  # noqa: PLW0603 - an audit hook cannot be removed, only switched
    _sealed = (TESTS / "unit") in request.path.parents
    yield
    _sealed = False
