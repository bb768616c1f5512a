"""Waiting for what comes about in a while."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import subprocess

PATIENCE_S: Final = 120.0
"""For what takes a moment on a machine that does nothing else."""
_PAUSE_S: Final = 0.05
_REST_S: Final = 0.5

T = TypeVar("T")


def within(seconds: float, condition: Callable[[], object]) -> bool:
    """Return whether `condition` holds by then; asked every 50 ms."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if condition():
            return True
        time.sleep(_PAUSE_S)
    return bool(condition())


def at_rest(read: Callable[[], T]) -> T:
    """Return what `read` gives when that has stood still: a backend counts a request after its answer is out."""
    give_up = time.monotonic() + PATIENCE_S
    found, since = read(), time.monotonic()
    while time.monotonic() - since < _REST_S:
        assert time.monotonic() < give_up, "it did not come to rest"
        time.sleep(_PAUSE_S)
        now = read()
        if now != found:
            found, since = now, time.monotonic()
    return found


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what a `trb serve --json` in the foreground says once it serves."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = line = ""
    while line != "}\n":
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait()}: {process.stderr.read()}"
        said += line
    found: dict[str, Any] = json.loads(said)
    return found
