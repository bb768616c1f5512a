"""Whose a container is: labels by which a stray is told from one that is wanted."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder import __version__
from builder.server.embedded.process import born

MARK: Final = "trb.server"
"""The label on every container of ours: `bound` to the process that started it, or `detached`."""
REPOSITORY: Final = "trb.repository"
_OWNER: Final = "trb.owner"
_VERSION: Final = "trb.version"
_MACHINE_ID: Final = Path("/etc/machine-id")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that started a container, told from every other one anywhere."""

    machine: str
    host: str
    """Its name: a copied disk has the same machine-id."""
    boot: str
    namespace: str
    """Of process ids: in a container of its own, the same number is another process."""
    pid: int
    born: str


def owner() -> Owner:
    """Return this process."""
    return Owner(
        machine=_read(_MACHINE_ID),
        host=platform.node(),
        boot=_read(_BOOT_ID),
        namespace=_namespace(),
        pid=os.getpid(),
        born=born(os.getpid()),
    )


def labels(repository: Path, *, detached: bool) -> dict[str, str]:
    """Return the labels of a container that serves `repository`."""
    mine = owner()
    return {
        MARK: "detached" if detached else "bound",
        REPOSITORY: str(repository),
        _OWNER: json.dumps({name: getattr(mine, name) for name in Owner.__slots__}, sort_keys=True),
        _VERSION: __version__,
    }


def is_stray(found: Mapping[str, str]) -> bool:
    """Whether the process that a container was bound to has ended; what cannot be known from here is no stray."""
    theirs, here = _owner_in(found), owner()
    if found.get(MARK) != "bound" or theirs is None:
        return False
    if (theirs.machine, theirs.host, theirs.namespace) != (here.machine, here.host, here.namespace):
        return False
    if theirs.boot != here.boot:
        return bool(theirs.machine and theirs.boot)  # this machine has started anew since
    if not theirs.born or not isinstance(theirs.pid, int):
        return False
    return born(theirs.pid) != theirs.born


def is_from_here(found: Mapping[str, str]) -> bool:
    """Whether a container was made on this machine: a daemon may have those of several, for the same path on each."""
    theirs, here = _owner_in(found), owner()
    return theirs is not None and (theirs.machine, theirs.host) == (here.machine, here.host)


def _owner_in(found: Mapping[str, str]) -> Owner | None:
    try:
        return Owner(**json.loads(found[_OWNER]))
    except (KeyError, TypeError, ValueError):
        return None


def _namespace() -> str:
    try:
        return str(_PID_NAMESPACE.readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
