"""The packages of a Python function, in wheels for the Python of the server's image, unpacked beside model.py."""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from builder import shell
from builder.errors import CommandFailed, ExportError, MissingTool
from builder.server.embedded.cache import whole_folder
from builder.spec.releases import Release

_TIMEOUT_S: Final = 1800.0
_GLIBC: Final[Mapping[str, int]] = {"3.8": 31, "3.10": 35, "3.12": 39}
"""The 2.x of the glibc in the images that have each Python."""
_OLDEST_GLIBC: Final = 5
_NOT_KEPT: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip writes about its own run: not the same twice."""
_VERSIONS: Final = re.compile(r"\(from versions: ([^)]*)\)")


def put_packages(packages: Mapping[str, str], release: Release, *, into: Path) -> None:
    """Fill the folder `into` with `packages`, each in its version, for the Python of `release`.

    They are fetched once per machine, with pip's own settings; with `TRB_WHEELS=DIR` a folder replaces the index.

    Raises:
        ExportError: there is no wheel of one for that Python.
        MissingTool: no network, no pip, a cache that cannot be written.
    """
    pins = tuple(f"{name}=={version}" for name, version in packages.items())
    key = hashlib.sha256("\n".join(pins).encode()).hexdigest()[:12]
    fetched = whole_folder(f"packages-{release.python}-{key}", lambda folder: _fill(folder, pins, release))
    shutil.copytree(fetched, into, ignore=shutil.ignore_patterns(".whole.json"))


def platforms(release: Release) -> Iterator[str]:
    """Yield the platforms whose wheels run in the image of `release`, the newest first."""
    newest = _GLIBC.get(release.python, max(_GLIBC.values()))
    for minor in range(newest, _OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_x86_64"
    yield from ("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64")


def _fill(folder: Path, pins: tuple[str, ...], release: Release) -> None:
    own = os.environ.get("TRB_WHEELS")
    source: tuple[str, ...] = ("--no-index", "--find-links", own) if own else ()
    command: list[str | Path] = [
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--retries", "2", "--timeout", "20", "--no-deps", "--no-compile", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", release.python),
        *(word for name in platforms(release) for word in ("--platform", name)),
        *source,
        *("--target", str(folder), *pins),
    ]
    try:
        done = shell.run(command, timeout_s=_TIMEOUT_S, check=False)
    except CommandFailed as error:  # it hung
        raise MissingTool(f"{', '.join(pins)} could not be fetched: {error.what}", fix=_BY_HAND) from error
    if done.returncode != 0:
        raise _why(pins, release, done.stderr)
    _keep_what_is_the_same(folder)


def _keep_what_is_the_same(folder: Path) -> None:
    for path in (
        *folder.rglob("*.pyc"),
        *(one for name in _NOT_KEPT for one in folder.glob(f"*.dist-info/{name}")),
    ):
        path.unlink()
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    shutil.rmtree(folder / "bin", ignore_errors=True)  # programs that begin with the path of this Python


def _why(pins: tuple[str, ...], release: Release, stderr: str) -> ExportError | MissingTool:
    said = "\n".join(f"  {line}" for line in stderr.strip().splitlines()[-5:])
    if "No module named pip" in stderr:
        return MissingTool(
            f"packages are fetched with pip, and this Python has none: {sys.executable}",
            fix=f"run `{sys.executable} -m ensurepip`",
        )
    lacking = next((pin for pin in pins if f"satisfies the requirement {pin} " in stderr), "")
    versions = [v for found in _VERSIONS.findall(stderr) for v in found.split(", ") if v not in ("none", "")]
    if lacking and versions:
        name = lacking.partition("==")[0]
        return ExportError(
            f"python.requirements: {lacking} has no wheel for Python {release.python}, which Triton {release.name} has",
            fix=f"install a version that has one, such as `pip install {name}=={versions[-1]}`; or build for a release "
            "with a newer Python (`triton:` in trb.yaml)",
        )
    return MissingTool(f"{', '.join(pins)} could not be fetched:\n{said}", fix=_BY_HAND)


_BY_HAND: Final = (
    "connect to a package index; or download the wheels where there is one, copy their folder here and set TRB_WHEELS "
    "to it"
)
