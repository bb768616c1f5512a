"""A server that outlives `trb serve --detach`, found again by its state file."""

import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.errors import ServerError
from builder.server.embedded.process import born, has_children, start_free, stop
from builder.server.embedded.run import Say, started
from builder.server.endpoint import Endpoint
from builder.server.serving import Serving
from builder.spec.places import home

if TYPE_CHECKING:
    from subprocess import Popen

_GRACE_S: Final = 12.0
_PAUSE_S: Final = 0.02
_PATHS: Final = ("log", "versions_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    pid: int
    born: str
    """When it started, in the kernel's words: a recycled pid was born at another time."""


def start_detached(serving: Serving, *, on_step: Say | None = None) -> Endpoint:
    """Serve until `stop_detached`; arguments as for `running`.

    Raises:
        MissingTool: this machine cannot run the embedded server.
        ServerError: one of ours serves it already, a port in use, a model that does not load.
    """
    state = _state(serving.repository)

    def start(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> "Popen[bytes]":
        process = start_free(command, env=env, log=log)
        _remember(state, process, endpoint=None)
        return process

    with _alone(state):
        _require_none(serving.repository)
        try:
            process, endpoint = started(serving, starter=start, say=on_step or (lambda _: None))
            _remember(state, process, endpoint=endpoint)
        except BaseException:
            state.unlink(missing_ok=True)
            raise
        process.returncode = 0  # it is nobody's child from here on: Popen must not warn that it still runs
    return endpoint


def detached(repository: Path) -> Endpoint | None:
    """Return the detached server that serves `repository`; None: there is none."""
    found = _read(_state(repository))
    return found[1] if found is not None and _is_alive(found[0]) else None


def stop_detached(repository: Path) -> None:
    """End the detached server of `repository`.

    Raises:
        ServerError: there is none.
    """
    state = _state(repository)
    found = _read(state)
    if found is None or not _is_alive(found[0]):
        if found is not None:
            state.unlink(missing_ok=True)
        raise ServerError(
            f"no detached server of ours serves {repository}", fix="start one with `trb serve --detach`"
        )
    _end(found[0])
    state.unlink(missing_ok=True)


def _state(repository: Path) -> Path:
    return home(repository) / "server.json"


def _require_none(repository: Path) -> None:
    found = _read(_state(repository))
    if found is not None and _is_alive(found[0]):
        where = f" at http://{found[1].http}" if found[1] else ""
        raise ServerError(
            f"a detached server serves {repository} already{where} (process {found[0].pid})",
            fix="stop it with `trb serve --stop`",
        )


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        lock = state.with_suffix(".lock").open("a")
    except OSError as error:
        raise _cannot_remember(state, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remember(state: Path, process: "Popen[bytes]", *, endpoint: Endpoint | None) -> None:
    try:
        _write(state, _Process(pid=process.pid, born=born(process.pid)), endpoint=endpoint)
    except OSError as error:
        stop(process)  # nobody could find it again
        raise _cannot_remember(state, error) from error


def _cannot_remember(state: Path, error: OSError) -> ServerError:
    return ServerError(
        f"a detached server is found again by {state}, which cannot be written: {error.strerror}",
        fix="serve without --detach, or a repository beside which you may write",
    )


def _end(process: _Process) -> None:
    """Ask it, and after 12 s make it; the pidfd means this process even when its pid is given away."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if not _is_alive(process):
            return
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        give_up = time.monotonic() + _GRACE_S
        while not _has_ended(handle, _PAUSE_S) and has_children(process.pid) and time.monotonic() < give_up:
            pass
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        _has_ended(handle, _GRACE_S)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
        with suppress(ChildProcessError):  # it is our child only when we started it
            os.waitpid(process.pid, os.WNOHANG)


def _has_ended(handle: int, wait_s: float) -> bool:
    return bool(select.select([handle], [], [], wait_s)[0])


def _is_alive(process: _Process) -> bool:
    return bool(process.born) and born(process.pid) == process.born


def _write(state: Path, process: _Process, *, endpoint: Endpoint | None) -> None:
    content = {**asdict(process), "endpoint": asdict(endpoint) if endpoint else None}
    beside = state.with_suffix(".new")
    beside.write_text(json.dumps(content, default=str, indent=2), encoding="utf-8")
    beside.replace(state)


def _read(state: Path) -> tuple[_Process, Endpoint | None] | None:
    try:
        content: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
        process = _Process(pid=int(content["pid"]), born=str(content["born"]))
        facts = content["endpoint"]
        if facts is None:
            return process, None
        paths = {name: Path(facts[name]) for name in _PATHS if facts[name]}
        return process, Endpoint(**{**facts, **paths})
    except (OSError, ValueError, KeyError, TypeError):  # absent, half of another version, edited
        return None
