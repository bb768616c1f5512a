"""Python's shared library, which the server links: the machine's, or the distribution's, unpacked here.

Debian's and Ubuntu's python3 does not bring it. apt-get downloads a package for anybody, root or not.
"""

import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

from builder import shell
from builder.errors import CommandFailed, MissingTool
from builder.server.embedded.cache import whole_folder

_TIMEOUT_S: Final = 300.0
_MULTIARCH: Final = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"


def libpython_name() -> str:
    """Return the shared library that the stub of this Python asks for."""
    return f"{_package()}.so.1.0"


def libpython_folder() -> Path | None:
    """Return the folder that holds this Python's shared library; None: the machine has none."""
    own = sysconfig.get_config_var("LIBDIR")
    folders = [Path(own), Path(own) / _MULTIARCH] if own else []
    folders += [
        Path(sys.base_prefix) / "lib",
        Path("/usr/lib") / _MULTIARCH,
        Path("/usr/lib64"),
        Path("/usr/lib"),
    ]
    return next((folder for folder in folders if (folder / libpython_name()).exists()), None)


def can_be_fetched() -> bool:
    """Return whether the distribution that this Python came from can be asked for its shared library."""
    return sys.base_prefix == "/usr" and all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb"))


def fetched_libpython() -> Path:
    """Return the folder of the library, from the distribution's package, fetched the first time.

    Raises:
        MissingTool: apt-get cannot download it.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    return whole_folder(f"libpython-{version}", _fill) / "usr" / "lib" / _MULTIARCH


def missing_libpython() -> MissingTool:
    """Return the error of a machine without the library."""
    return MissingTool(
        f"the embedded Triton needs {libpython_name()}, and this Python has none",
        fix=f"run `apt-get update && apt-get install {_package()}`, or use a Python with a shared library",
    )


def _fill(folder: Path) -> None:
    for package in (_package(), f"{_package()}t64"):  # Ubuntu 24.04 renamed what has a 64-bit time
        try:
            shell.run(["apt-get", "download", package], cwd=folder, timeout_s=_TIMEOUT_S, check=False)
            for archive in folder.glob("*.deb"):
                shell.run(["dpkg-deb", "--extract", archive, folder], timeout_s=_TIMEOUT_S)
                archive.unlink()
        except CommandFailed as error:
            raise missing_libpython() from error
        if (folder / "usr" / "lib" / _MULTIARCH / libpython_name()).exists():
            return
    raise missing_libpython()


def _package() -> str:
    return f"libpython{sys.version_info.major}.{sys.version_info.minor}"
