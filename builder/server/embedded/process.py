"""One server process: started, watched, stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from builder.server.embedded import die_with_parent
from builder.server.logs import hold

_GRACE_S: Final = 12.0
_LISTENING: Final = "0A"
"""A state in /proc/net/tcp."""
_PAUSE_S: Final = 0.02


def start_bound(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that dies with this process, even when this process is killed.

    The kernel ties it to the thread that started it, so that thread waits for its end.

    Raises:
        OSError: it could not be started.
    """
    born: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()
    shim = (sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()))

    def keep() -> None:
        try:
            process = start_free((*shim, *command), env=env, log=log)
        except OSError as error:
            born.put(error)
            return
        born.put(process)
        process.wait()

    threading.Thread(target=keep, name="tritonserver", daemon=True).start()
    process = born.get()
    if isinstance(process, OSError):
        raise process
    return process


def start_free(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process; its session is its own, so Ctrl-C is ours alone.

    Raises:
        OSError: it could not be started.
    """
    with log.open("ab") as file:
        with contextlib.suppress(OSError):  # some network disks know no locks
            hold(file.fileno())
        return subprocess.Popen(
            command,
            cwd=log.parent,  # the stub imports `model` from where it stands: a user's model.py must not be there
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server of ours: ask it, and after 12 s make it; a stub that a dead server left behind goes too."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + _GRACE_S
        # Once its stubs are gone every model is unloaded; what is left of its exit is whole seconds of sleep.
        while process.poll() is None and has_children(process.pid) and time.monotonic() < give_up:
            time.sleep(_PAUSE_S)
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):  # its session is its own, and so is its process group
        os.killpg(process.pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Return whether process `pid` runs; one that has ended and was not waited for does not."""
    return bool(born(pid))


def born(pid: int) -> str:
    """Return boot and tick of the start of process `pid`; empty when it is gone or a zombie."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    state, start_ticks = fields[0], fields[19]
    return "" if state == "Z" else f"{boot}/{start_ticks}"


def listening_ports(pid: int) -> frozenset[int]:
    """Return the ports on which process `pid` itself listens; none when it is gone."""
    try:
        held = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
        # gRPC listens on 127.0.0.1 through an IPv6 socket, where the machine has those.
        tables = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/net").glob("tcp*")]
    except OSError:
        return frozenset()
    sockets = (row.split() for table in tables for row in table.splitlines()[1:])
    return frozenset(
        int(fields[1].rpartition(":")[2], 16)
        for fields in sockets
        if fields[3] == _LISTENING and f"socket:[{fields[9]}]" in held
    )


def has_children(pid: int) -> bool:
    """Return whether any thread of process `pid` has a child that still runs."""
    try:
        return any(
            path.read_text(encoding="ascii").strip() for path in Path(f"/proc/{pid}/task").glob("*/children")
        )
    except OSError:
        return False
