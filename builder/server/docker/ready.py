"""Waiting for the server in a container to load its models."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import ServerError
from builder.server.docker.log import Follower
from builder.server.settled import error_of_end, lines, reasons_below, serves_all, tail

if TYPE_CHECKING:
    from docker.models.containers import Container

_PAUSE_S: Final = 0.05
_SIGKILLED: Final = 137
_WRONG_MACHINE: Final = "exec format error"


def wait_until_ready(
    container: "Container",
    address: str,
    names: Sequence[str],
    follower: Follower,
    log: Path,
    timeout_s: float,
) -> None:
    """Return when the server is ready and serves every one of `names`.

    Raises:
        ServerError: it ended, took longer than `timeout_s`, or did not load a model.
    """
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        if follower.has_ended and not _runs(container):
            raise ended(container, follower, log)
        if _serves_all(container, address, names, log):
            return
        time.sleep(_PAUSE_S)
    raise ServerError(
        f"Triton was not ready after {timeout_s:.0f} s; its last lines:\n{tail(log)}",
        fix=f"wait longer (--ready-timeout), or read the whole log: {log}",
    )


def _runs(container: "Container") -> bool:
    container.reload()
    return bool(container.status == "running")


def ended(container: "Container", follower: Follower, log: Path) -> ServerError:
    """Return the error for a container that has ended by itself."""
    follower.finish()
    container.reload()
    status = int(container.attrs["State"]["ExitCode"])
    if _ran_out_of_memory(container):
        return _out_of_memory(container, log)
    if any(_WRONG_MACHINE in line for line in lines(log)):
        return ServerError(
            f"what is in the image is for another kind of processor: {_WRONG_MACHINE}",
            fix="pull it for this one (`docker pull --platform ...`), or name another with --image",
        )
    killed = " (somebody killed it)" if status == _SIGKILLED else ""
    return error_of_end(f"the container ended with exit status {status}{killed}{reasons_below(log)}", log)


def _serves_all(container: "Container", address: str, names: Sequence[str], log: Path) -> bool:
    try:
        return serves_all(address, names, log)
    except ServerError as error:
        if _ran_out_of_memory(container):  # a stub of the Python backend was killed, the server was not
            raise _out_of_memory(container, log) from error
        raise


def _ran_out_of_memory(container: "Container") -> bool:
    """Whether the kernel has killed any process of it: its state tells of the first one alone."""
    container.reload()
    if container.attrs["State"]["OOMKilled"]:
        return True
    client = container.client
    assert client is not None
    filters = {"container": container.id, "event": "oom"}
    # The daemon writes its own time in its time zone, and goes on telling until it is `until`.
    span = {
        "since": datetime.fromisoformat(container.attrs["State"]["StartedAt"]),
        "until": datetime.fromisoformat(client.info()["SystemTime"]) + timedelta(seconds=1),
    }
    return any(True for _ in client.events(**span, filters=filters, decode=True))


def _out_of_memory(container: "Container", log: Path) -> ServerError:
    limit = container.attrs["HostConfig"]["Memory"]
    allowed = (
        f"the {limit / (1 << 20):,.0f} MiB that --memory allows" if limit else "the memory of its machine"
    )
    return ServerError(
        f"the container ran out of {allowed}; its last lines:\n{tail(log)}",
        fix="raise --memory, or load fewer models or instances",
    )
