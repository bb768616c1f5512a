"""What this machine has and what is missing, each with its fix: the facts of `trb doctor`."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from builder import shell
from builder.errors import CommandFailed, MissingTool, TrbError
from builder.server.embedded import PYTRITON, SERVER_VERSION, cache_root
from builder.server.embedded.cache import is_whole
from builder.server.embedded.host import CHECKS, SHM
from builder.server.embedded.libpython import libpython_folder
from builder.server.wanted import is_free

_TIMEOUT_S: Final = 30.0
_PORTS: Final = {8000: "HTTP", 8001: "gRPC", 8002: "metrics"}
_SPACE_BYTES: Final = 1 << 30
_PACKAGES: Final = {"torch": (2, 9), "onnx": (1, 18), "onnxruntime": (1, 20), "tritonclient": (2, 51)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact about this machine."""

    name: str
    state: Literal["ok", "warn", "missing"]
    """missing: `trb` cannot do its main job; warn: something optional, or about to be in the way."""
    detail: str
    fix: str = ""


def findings() -> Iterator[Finding]:
    """Yield every fact, quick ones first."""
    yield python()
    yield pip()
    yield from (package(name, least) for name, least in _PACKAGES.items())
    yield from (host_fact(name, check) for name, check in CHECKS.items() if name != "python")
    yield cache()
    yield embedded_server()
    yield ports()
    yield gpu()
    yield from docker()


def python() -> Finding:
    """The interpreter; one that the embedded server cannot use still builds."""
    detail = f"{platform.python_version()} ({sys.executable})"
    problem = CHECKS["python"]()
    if problem is None:
        return Finding(name="Python", state="ok", detail=detail)
    return Finding(name="Python", state="warn", detail=f"{detail}: {problem.what}", fix=problem.fix)


def pip() -> Finding:
    """What fetches the embedded server."""
    if importlib.util.find_spec("pip") is not None:
        return Finding(name="pip", state="ok", detail=importlib.metadata.version("pip"))
    return Finding(
        name="pip",
        state="missing",
        detail="not in this environment",
        fix=f"run `{sys.executable} -m ensurepip`",
    )


def package(name: str, least: tuple[int, ...]) -> Finding:
    """An installed package, by its metadata: importing torch takes seconds."""
    wanted = ".".join(map(str, least))
    fix = f"run `{sys.executable} -m pip install '{name}>={wanted}'`"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name=name, state="missing", detail="not installed", fix=fix)
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < least:
        return Finding(name=name, state="missing", detail=f"{version}; needs {wanted} or newer", fix=fix)
    return Finding(name=name, state="ok", detail=version)


def host_fact(name: str, check: Callable[[], MissingTool | None]) -> Finding:
    """One thing that the embedded server needs of the machine."""
    problem = check()
    if problem is None:
        return Finding(name=name, state="ok", detail=_HOST_DETAILS[name]())
    return Finding(name=name, state="missing", detail=problem.what, fix=problem.fix)


_HOST_DETAILS: Final[Mapping[str, Callable[[], str]]] = {
    "platform": lambda: f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    "glibc": lambda: platform.libc_ver()[1],
    "libpython": lambda: str(libpython_folder() or "not here; the first start gets it with apt-get"),
    "shared memory": lambda: f"{shutil.disk_usage(SHM).free >> 20} MiB free",
}


def cache() -> Finding:
    """The folder of fetched parts."""
    root = cache_root()
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    if not os.access(there, os.W_OK):
        fix = "set TRB_CACHE to a folder of yours"
        return Finding(name="cache", state="missing", detail=f"{root} cannot be written", fix=fix)
    if damaged := [path.name for path in _unpacked(root) if not is_whole(path)]:
        return Finding(
            name="cache",
            state="warn",
            detail=f"{root}: damaged: {', '.join(damaged)}",
            fix="the next start repairs it",
        )
    free = shutil.disk_usage(there).free
    if free < _SPACE_BYTES:
        fix = "free some space, or set TRB_CACHE to a folder with more"
        return Finding(name="cache", state="warn", detail=f"{root}: {free >> 20} MiB free", fix=fix)
    return Finding(name="cache", state="ok", detail=f"{root}, {free >> 30} GiB free")


def embedded_server() -> Finding:
    """The server's wheel: here, or within reach."""
    name, what = "embedded Triton", f"{SERVER_VERSION}, from {PYTRITON.project} {PYTRITON.version}"
    folder = cache_root() / PYTRITON.folder_name
    if is_whole(folder):
        return Finding(name=name, state="ok", detail=what)
    if source := _reachable():
        return Finding(
            name=name, state="ok", detail=f"{what}: not fetched yet, the first start takes it from {source}"
        )
    return Finding(
        name=name,
        state="missing",
        detail=f"{what}: not fetched yet, and no package index answers",
        fix=f"connect to a network, or set TRB_WHEELS to a folder with {PYTRITON.project} {PYTRITON.version}",
    )


def ports() -> Finding:
    """Triton's own ports; the embedded server takes any others when none are asked for."""
    taken = [f"{port} ({use})" for port, use in _PORTS.items() if not is_free(port)]
    if taken:
        fix = "choose others for `trb serve`, or stop what listens there; build and check use any free ports"
        return Finding(name="ports", state="warn", detail=f"in use: {', '.join(taken)}", fix=fix)
    return Finding(name="ports", state="ok", detail=f"{', '.join(map(str, _PORTS))} are free")


def gpu() -> Finding:
    """NVIDIA's GPUs, as their driver has them; nothing here needs one."""
    found = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if found:
        return Finding(name="GPU", state="ok", detail="; ".join(found.splitlines()))
    return Finding(name="GPU", state="ok", detail="none; none is needed")


def docker() -> Iterator[Finding]:
    """Docker, for a Triton in a container, and the containers of ours."""
    from builder.server.docker.daemon import connected
    from builder.server.docker.failures import said_plainly
    from builder.server.docker.strays import labelled

    try:
        with connected() as daemon:
            with said_plainly("asking for its version", daemon.address):
                version = str(daemon.client.version()["Version"])
            found = labelled(daemon)
    except TrbError as error:
        yield Finding(name="Docker", state="warn", detail=error.what, fix=error.fix)
        return
    yield Finding(name="Docker", state="ok", detail=f"{version} at {daemon.address}")
    if not found:
        return
    strays = [one for one in found if one.is_stray]
    yield Finding(
        name="containers",
        state="warn" if strays else "ok",
        detail="; ".join(map(str, found)),
        fix="`trb doctor --clean` removes those that were left behind" if strays else "",
    )


def _unpacked(root: Path) -> tuple[Path, ...]:
    if not root.is_dir():
        return ()
    return tuple(path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith("."))


def _reachable() -> str:
    """Return where the server's wheel would come from; empty: from nowhere."""
    if folder := os.environ.get("TRB_WHEELS"):
        pattern = f"{PYTRITON.project.replace('-', '_')}-{PYTRITON.version}-*.whl"
        return folder if any(Path(folder).glob(pattern)) else ""
    known = _output(sys.executable, "-m", "pip", "index", "versions", "--retries", "0", PYTRITON.project)
    return "the package index" if PYTRITON.version in known else ""


def _output(program: str, *arguments: str) -> str:
    """Return what a program says; empty when it is absent, fails or hangs, all of which are findings here."""
    if shutil.which(program) is None:
        return ""
    try:
        done = shell.run([program, *arguments], timeout_s=_TIMEOUT_S, check=False)
    except CommandFailed:  # a program that hangs must not end the diagnosis
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
