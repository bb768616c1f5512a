"""The processor time that a server, a model's stub and the clients have had."""

import os
import resource
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Cpu(NamedTuple):
    """Seconds of one core, user and system together."""

    core: float
    """tritonserver itself."""
    stub: float
    """The process that the model's instance runs in."""
    client: float
    """Children of this process that have ended: perf_analyzer alone, while the servers live."""

    def since(self, earlier: "Cpu") -> "Cpu":
        """Return what was spent after `earlier`."""
        return Cpu(*(now - before for now, before in zip(self, earlier, strict=True)))


def spent(server: int, model: str) -> Cpu:
    """Return the time spent so far by the server of that pid, its stub of `model`, and ended clients."""
    stubs = [pid for pid in _descendants(server) if f"/{model}/".encode() in _read(pid, "cmdline")]
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cpu(_seconds(server), sum(map(_seconds, stubs)), ended.ru_utime + ended.ru_stime)


def _descendants(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return [*children, *(one for child in children for one in _descendants(child))]


def _seconds(pid: int) -> float:
    user, system = _read(pid, "stat").rsplit(b")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / _TICKS


def _read(pid: int, file: str) -> bytes:
    return Path(f"/proc/{pid}/{file}").read_bytes()
