"""Pinned wheels, fetched with pip and unpacked into the cache."""

import json
import os
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from builder import shell
from builder.errors import CommandFailed, MissingTool
from builder.server.embedded.cache import whole_folder
from builder.spec.hashing import file_sha256

_FETCH_TIMEOUT_S: Final = 1800.0


class NoSuchWheel(MissingTool):
    """There is no such wheel for this Python, which is more than that it was not to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel on a package index."""

    project: str
    version: str
    python: str = "py3"
    """Its Python tag, such as cp311: the cache holds one folder for each."""
    sha256: str | None = None
    """Of the file; None: any file of this version is taken."""

    index: str | None = None
    """The package index to ask; None: pip's own."""

    @property
    def folder_name(self) -> str:
        """Its folder in the cache."""
        return f"{self.project}-{self.version.removesuffix('.*')}-{self.python}"


PYTRITON: Final = Wheel(
    project="nvidia-pytriton",
    version="0.7.0",
    sha256="21f063ff93bb426d0c06b7a55e7eb9efcfe62c0dddd9a908e9877e18710128df",
)
"""Carries the real tritonserver 2.51.0; only its binaries are used, its Python package is never imported."""

PERF_ANALYZER: Final = Wheel(
    project="tritonclient",
    version="2.51.0",
    sha256="c485bb0123bdf310f90bc8b03d3489b28df2ffed55b30c7eee0b795b48113d52",
)
"""The manylinux1 wheel, which carries perf_analyzer: the last that runs on glibc 2.36."""


def wheel_for_this_python(project: str, version: str) -> Wheel:
    """Return the wheel of a compiled package for the running Python, with its hash where it is pinned.

    Raises:
        NoSuchWheel: this version was never built for this Python.
    """
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    wheel = Wheel(project=project, version=version, python=python)
    hashes = pinned_sha256(project, version)
    if hashes is None:
        return wheel
    if python not in hashes:
        raise _no_such_wheel(wheel)
    return replace(wheel, sha256=hashes[python])


def pinned_sha256(project: str, version: str) -> Mapping[str, str] | None:
    """Return the hashes of all wheels of a version by Python tag; None: it is not pinned."""
    return _pinned().get(project, {}).get(version)


@cache
def _pinned() -> dict[str, dict[str, dict[str, str]]]:
    """Return sha256 by project, version and Python tag; a version without a tag has no wheel for it."""
    table: dict[str, dict[str, dict[str, str]]] = json.loads(
        (files("builder.server.embedded") / "pinned.json").read_text(encoding="utf-8")
    )
    return table


def fetch_wheel(wheel: Wheel) -> Path:
    """Return the folder of the unpacked wheel, fetching it with pip the first time.

    pip's own settings hold (index, proxy, certificates). With `TRB_WHEELS=DIR` a folder replaces the index.

    Raises:
        NoSuchWheel: the index answers, and has no such version for this Python.
        MissingTool: no network, no pip, a wheel that is damaged or another, a cache that cannot be written.
    """
    return whole_folder(wheel.folder_name, lambda folder: _fill(folder, wheel))


def server_libraries() -> Path:
    """Return the folder of the shared libraries that come with tritonserver (`nvidia_pytriton.libs`)."""
    return fetch_wheel(PYTRITON) / "nvidia_pytriton.libs"


def _fill(folder: Path, wheel: Wheel) -> None:
    file = _download(wheel, into=folder)
    if wheel.sha256 is not None and file_sha256(file) != wheel.sha256:
        raise MissingTool(
            f"{file.name} is not the file that trb was tested with: its sha256 is {file_sha256(file)}, "
            f"expected {wheel.sha256}",
            fix="fetch from https://pypi.org, or put the right file in a folder and set TRB_WHEELS to it",
        )
    try:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
            _restore_modes(archive, folder)
    except zipfile.BadZipFile as error:
        raise MissingTool(f"{file.name} is damaged: {error}", fix="fetch it again") from error
    file.unlink()


def _restore_modes(archive: zipfile.ZipFile, folder: Path) -> None:
    for info in archive.infolist():
        mode = info.external_attr >> 16 & 0o777
        if mode and not info.is_dir():
            (folder / info.filename).chmod(mode | 0o600)


def _download(wheel: Wheel, *, into: Path) -> Path:
    command: list[str | Path] = [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--retries", "2", "--timeout", "20", "--no-deps", "--only-binary=:all:", *_source(wheel)),
        *("--dest", into, f"{wheel.project}=={wheel.version}"),
    ]
    try:
        done = shell.run(command, timeout_s=_FETCH_TIMEOUT_S, check=False)
    except CommandFailed as error:  # it hung
        raise _why(wheel, error.what) from error
    if done.returncode != 0:
        raise _why(wheel, done.stderr)
    return next(into.glob("*.whl"))


def _source(wheel: Wheel) -> tuple[str, ...]:
    if folder := os.environ.get("TRB_WHEELS"):
        return ("--no-index", "--find-links", folder)
    return ("--index-url", wheel.index) if wheel.index else ()


def _why(wheel: Wheel, stderr: str) -> MissingTool:
    what = f"{wheel.project} {wheel.version} could not be fetched"
    if "No module named pip" in stderr:
        return MissingTool(f"{what}: this Python has no pip", fix=f"run `{sys.executable} -m ensurepip`")
    said = "\n".join(f"  {line}" for line in stderr.strip().splitlines()[-5:])
    if os.environ.get("TRB_WHEELS"):
        return MissingTool(f"{what} from TRB_WHEELS={os.environ['TRB_WHEELS']}:\n{said}", fix=_by_hand(wheel))
    # pip ends in the same words when it cannot reach an index.
    unreachable = "connection broken" in stderr or "(from versions: none)" in stderr
    # Of a wheel with a known hash it means that this index lacks it, not that there is none.
    if "No matching distribution" in stderr and not unreachable and wheel.sha256 is None:
        return _no_such_wheel(wheel)
    return MissingTool(f"{what}:\n{said}", fix=f"connect to a package index, or {_by_hand(wheel)}")


def _no_such_wheel(wheel: Wheel) -> NoSuchWheel:
    return NoSuchWheel(
        f"{wheel.project} {wheel.version} has no wheel for this Python",
        fix=f"make the environment with a Python that {wheel.project} {wheel.version} has a wheel for",
    )


def _by_hand(wheel: Wheel) -> str:
    return (
        f"run `pip download --no-deps {wheel.project}=={wheel.version} -d wheels` where there is a network, "
        "copy the folder here and set TRB_WHEELS to it"
    )
