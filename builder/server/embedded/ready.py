"""Waiting for a server process of ours to load its models."""

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from builder.errors import ServerError
from builder.server.embedded.launch import Ports
from builder.server.embedded.process import is_alive, listening_ports
from builder.server.settled import error_of_end, lines, reasons_below, serves_all, tail

_PAUSE_S: Final = 0.03
_PORT_TAKEN: Final = re.compile(r"Socket '\S+:(?P<port>\d+)' already in use")


class PortTaken(ServerError):
    """Another process listens on a port that the server was given."""


def wait_until_ready(
    process: subprocess.Popen[bytes], ports: Ports, names: Sequence[str], *, log: Path, timeout_s: float
) -> None:
    """Return when the server is ready and serves every one of `names`.

    A port counts when this very process listens on it; somebody else may have taken it meanwhile and answer too.

    Raises:
        PortTaken: a port was taken by somebody else.
        ServerError: the server ended, took longer than `timeout_s`, or did not load a model.
    """
    address = f"127.0.0.1:{ports.http}"
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise _ended(process, log)
        mine = listening_ports(process.pid) >= {ports.http, ports.grpc, ports.metrics}
        if mine and serves_all(address, names, log):
            return
        time.sleep(_PAUSE_S)
    raise ServerError(
        f"Triton was not ready after {timeout_s:.0f} s; its last lines:\n{tail(log)}",
        fix=f"wait longer (--ready-timeout), or read the whole log: {log}",
    )


def require_alive(pid: int, log: Path) -> None:
    """Check that the server of process `pid` still runs.

    Raises:
        ServerError: it has ended; its last lines.
    """
    if not is_alive(pid):
        raise error_of_end("Triton has ended", log)


def _ended(process: subprocess.Popen[bytes], log: Path) -> ServerError:
    taken = [match["port"] for match in map(_PORT_TAKEN.search, lines(log)) if match]
    if taken:
        return PortTaken(f"port {taken[0]} is in use", fix="free it, or choose another port")
    how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
    return error_of_end(
        f"Triton ended with {how} while it loaded{reasons_below(log)}",
        log,
        fix="`trb doctor` checks this machine",
    )
