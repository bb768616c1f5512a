"""The command and the environment of the embedded server."""

import contextlib
import hashlib
import os
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.errors import MissingTool
from builder.server.embedded.backends import backend_folder
from builder.server.embedded.cache import cache_root
from builder.server.embedded.host import require_host
from builder.server.embedded.libpython import fetched_libpython, libpython_folder
from builder.server.embedded.stub_python import stub_python
from builder.server.embedded.wheels import PYTRITON, fetch_wheel
from builder.server.endpoint import RUNTIME_VERSIONS_VARIABLE, TARGET_RELEASE_VARIABLE
from builder.server.serving import Control
from builder.server.wanted import configs_are_complete
from builder.spec.releases import Release

_POLL_S: Final = 1
_EXIT_TIMEOUT_S: Final = 8
_LOOPBACK: Final = "127.0.0.1"
_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The three ports of a server on 127.0.0.1."""

    http: int
    grpc: int
    metrics: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The embedded server's parts on this machine."""

    wheel: Path
    """The unpacked wheel, its relative layout kept: the binaries find their libraries by it."""
    backends: Path
    python_bin: Path
    """The `bin` folder of the stub's Python."""
    release: Release
    """The target: the stand-ins refuse what it would refuse."""
    libpython: Path
    """The folder of Python's shared library."""

    @property
    def program(self) -> Path:
        """The tritonserver binary."""
        return self.wheel / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def libraries(self) -> Path:
        """The shared libraries that come with it."""
        return self.wheel / "nvidia_pytriton.libs"


def install(release: Release, *, target_torch: bool, say: Callable[[str], None]) -> Installed:
    """Return the server's parts, fetched and put together the first time.

    Raises:
        MissingTool: this machine cannot run it, or a part cannot be fetched.
    """
    require_host()
    if not _PLAIN.fullmatch(str(cache_root())):
        raise MissingTool(
            f"the cache {cache_root()} has a blank or another character that a shell reads in its path",
            fix="name a plain folder in the environment variable TRB_CACHE",
        )
    say("preparing the embedded Triton")
    wheel = fetch_wheel(PYTRITON)
    return Installed(
        wheel=wheel,
        backends=backend_folder(wheel / "pytriton" / "tritonserver"),
        python_bin=stub_python(release, target_torch=target_torch, say=say),
        release=release,
        libpython=libpython_folder() or fetched_libpython(),
    )


def plainly_named(folder: Path) -> Path:
    """Return `folder`, or a link to it in the cache where its path holds a character that a shell reads.

    The Python backend starts its stubs by a shell and does not quote: a blank in the path ends them.
    """
    if _PLAIN.fullmatch(str(folder)):
        return folder
    link = cache_root() / ".links" / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(folder)
    return link


def command(
    installed: Installed,
    repository: Path,
    ports: Ports,
    *,
    models: Sequence[str] | None,
    control: Control,
) -> list[str]:
    """Return the command line; `models` None means all of the repository."""
    mode = "explicit" if control == "none" and models is not None else control
    options = {
        "model-repository": plainly_named(repository),
        "backend-directory": installed.backends,
        "http-address": _LOOPBACK,
        "http-port": ports.http,
        "grpc-address": _LOOPBACK,
        "grpc-port": ports.grpc,
        "metrics-port": ports.metrics,
        "model-control-mode": mode,
        # Why a model failed is read from the repository index; an exit would leave only a log.
        "exit-on-error": "false",
        "exit-timeout-secs": _EXIT_TIMEOUT_S,
        # No GPU is used: without these the log opens with warnings about one.
        "allow-gpu-metrics": "false",
        "pinned-memory-pool-byte-size": 0,
    }
    return [
        str(installed.program),
        *(f"--{name}={value}" for name, value in options.items()),
        *([f"--repository-poll-secs={_POLL_S}"] if mode == "poll" else []),
        *(
            [f"--load-model={name}" for name in (("*",) if models is None else models)]
            if mode == "explicit"
            else []
        ),
        # Completing a config costs one more stub process, and seconds, for each model.
        *(["--disable-auto-complete-config"] if configs_are_complete(repository, models) else []),
    ]


def environment(installed: Installed, versions_dir: Path) -> dict[str, str]:
    """Return the server's environment; the stand-ins report their versions into `versions_dir`."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    libraries = [
        str(installed.libraries),
        str(installed.libpython),
        *_split(os.environ.get("LD_LIBRARY_PATH")),
    ]
    return kept | {
        "PYTHONDONTWRITEBYTECODE": "1",  # a version folder stays as it was published
        "PATH": os.pathsep.join([str(installed.python_bin), *_split(os.environ.get("PATH"))]),
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "CUDA_VISIBLE_DEVICES": "",  # the stand-ins run on the CPU, so KIND_AUTO must mean that
        TARGET_RELEASE_VARIABLE: installed.release.name,
        RUNTIME_VERSIONS_VARIABLE: str(versions_dir),
    }


def free_ports(*, http: int | None = None, grpc: int | None = None) -> Ports:
    """Return three free ports, the given ones kept; another process may still take them first."""
    sockets = [socket.socket() for _ in range(3)]
    try:
        for one in sockets:
            one.bind((_LOOPBACK, 0))
        found = [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
    return Ports(http=http or found[0], grpc=grpc or found[1], metrics=found[2])


def _split(paths: str | None) -> list[str]:
    return [path for path in (paths or "").split(os.pathsep) if path]
