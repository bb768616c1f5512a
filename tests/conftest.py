"""What every test stands on: unit tests are sealed off from processes and sockets, live tests are marked."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def _seal(event: str, arguments: tuple[object, ...]) -> None:
    if _sealed and event in _FORBIDDEN:
        # pytest's own exception is not an Exception: no `except` of ours can swallow it.
        pytest.fail(f"a unit test may not {_FORBIDDEN[event]}: {event} {arguments!r:.200}")


sys.addaudithook(_seal)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything under tests/live."""
    for item in items:
        if (TESTS / "live") in item.path.parents:
            item.add_marker("live")


@pytest.fixture(autouse=True)
def sealed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make a unit test fail when it starts a process or opens a socket."""
    global _sealed  # noqa: PLW0603 - an audit hook cannot be removed, only switched
    _sealed = (TESTS / "unit") in request.path.parents
    yield
    _sealed = False
