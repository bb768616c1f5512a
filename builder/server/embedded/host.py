"""What this machine must have to run the embedded server, one fact a function.

Each returns None when all is well, and otherwise the error to raise: `trb doctor` shows them all, a start
raises the first.
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from builder.errors import MissingTool
from builder.server.embedded.libpython import can_be_fetched, libpython_folder, missing_libpython

_OTHER_DOORS: Final = "use a Triton that runs elsewhere: `--server http://HOST:8000`"
_GLIBC: Final = (2, 35)
_PYTHONS: Final = ((3, 11), (3, 12))
SHM: Final = Path("/dev/shm")  # noqa: S108 - the server's own choice
_SHM_BYTES: Final = 32 << 20


def require_host() -> None:
    """Check everything below.

    Raises:
        MissingTool: the first thing that this machine lacks, with the way out.
    """
    for check in CHECKS.values():
        if problem := check():
            raise problem


def platform_problem() -> MissingTool | None:
    """The server is built for Linux on x86_64."""
    if sys.platform == "linux" and platform.machine() in {"x86_64", "AMD64"}:
        return None
    return MissingTool(
        f"the embedded Triton runs on Linux x86_64; this is {platform.system()} {platform.machine()}",
        fix=_OTHER_DOORS,
    )


def glibc_problem() -> MissingTool | None:
    """The server is linked against glibc 2.35."""
    name, version = platform.libc_ver()
    if name == "glibc" and tuple(int(part) for part in version.split(".")[:2]) >= _GLIBC:
        return None
    found = f"{name} {version}" if name else "another C library"
    return MissingTool(
        f"the embedded Triton needs glibc 2.35 or newer; here is {found}",
        fix=f"upgrade to Debian 12 or Ubuntu 22.04, or {_OTHER_DOORS}",
    )


def python_problem() -> MissingTool | None:
    """The stub takes numpy 1 alone, which has no wheel from Python 3.13 on."""
    if sys.version_info[:2] in _PYTHONS:
        return None
    return MissingTool(
        f"the embedded Triton runs with Python 3.11 or 3.12; this is {platform.python_version()}",
        fix=f"make the environment with Python 3.12, or {_OTHER_DOORS}",
    )


def libpython_problem() -> MissingTool | None:
    """The stub links Python's shared library."""
    return None if libpython_folder() is not None or can_be_fetched() else missing_libpython()


def shm_problem() -> MissingTool | None:
    """Tensors pass between the server and its stubs through /dev/shm."""
    try:
        free = shutil.disk_usage(SHM).free
        writable = os.access(SHM, os.W_OK)
    except OSError:
        free, writable = 0, False
    if writable and free >= _SHM_BYTES:
        return None
    return MissingTool(
        f"the embedded Triton needs {_SHM_BYTES >> 20} MiB of shared memory; {SHM} has {free >> 20} MiB",
        fix="in Docker run with --shm-size=1g; else remount: `mount -o remount,size=1g /dev/shm`",
    )


CHECKS: Final[dict[str, Callable[[], MissingTool | None]]] = {
    "platform": platform_problem,
    "glibc": glibc_problem,
    "python": python_problem,
    "libpython": libpython_problem,
    "shared memory": shm_problem,
}
"""In the order in which a fix makes sense."""
