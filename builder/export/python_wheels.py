"""The packages of a Python function, in wheels for the Python of the server's image, unpacked beside model.py."""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from packaging.utils import canonicalize_name

from builder import shell
from builder.errors import CommandFailed, ExportError, MissingTool
from builder.export.python_choice import chosen_by_pip
from builder.server.embedded.cache import whole_folder
from builder.spec.releases import Release

_TIMEOUT_S: Final = 1800.0
_GLIBC: Final[Mapping[str, int]] = {"3.8": 31, "3.10": 35, "3.12": 39}
"""The 2.x of the glibc in the images that have each Python."""
_OLDEST_GLIBC: Final = 5
_NOT_KEPT: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip writes about its own run: not the same twice."""
_DRY: Final = ("--dry-run", "--report", "-")
_VERSIONS: Final = re.compile(r"\(from versions: ([^)]*)\)")


def put_packages(
    packages: Mapping[str, str], named: Collection[str], release: Release, *, into: Path
) -> tuple[str, ...]:
    """Fill the folder `into` with `packages`, for the Python of `release`; return what differs from those here.

    They are fetched once per machine, with pip's own settings; with `TRB_WHEELS=DIR` a folder replaces the index.

    Args:
        packages: their versions; where one has none, or its version none for that Python, pip chooses among all but
            the `named`.
        named: those that trb.yaml asks for: they are delivered as they ran here, or not at all.
        release: the target.
        into: a folder that is not there yet.

    Raises:
        ExportError: there is no wheel of one for that Python.
        MissingTool: no network, no pip, a cache that cannot be written.
    """
    pins = {name: f"{name}=={version}" if version else name for name, version in packages.items()}
    firm = tuple(pin for name, pin in pins.items() if name in named)
    key = hashlib.sha256("\n".join((*pins.values(), "", *firm)).encode()).hexdigest()[:12]
    fetched = whole_folder(
        f"packages-{release.python}-{key}", lambda folder: _fill(folder, tuple(pins.values()), firm, release)
    )
    shutil.copytree(fetched, into, ignore=shutil.ignore_patterns(".whole.json"))
    return tuple(_others(packages, into, release))


def _others(packages: Mapping[str, str], folder: Path, release: Release) -> Iterator[str]:
    """Yield in words which packages are others than those here."""
    found = {canonicalize_name(one.name): one.version for one in metadata.distributions(path=[str(folder)])}
    differ = [f"{name} {version}" for name, version in sorted(found.items()) if packages.get(name) != version]
    if differ:
        yield (
            f"not proven with {', '.join(differ)}: pip chose them for Python {release.python}, which cannot have all "
            "versions that ran here"
        )


def platforms(release: Release) -> Iterator[str]:
    """Yield the platforms whose wheels run in the image of `release`, the newest first."""
    newest = _GLIBC.get(release.python, max(_GLIBC.values()))
    for minor in range(newest, _OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_x86_64"
    yield from ("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64")


def _fill(folder: Path, pins: tuple[str, ...], firm: tuple[str, ...], release: Release) -> None:
    """Put `pins` into `folder`, or what pip chooses where they have no wheels and the `firm` ones do."""
    done = _install(folder, pins, release)
    if done.returncode != 0 and _lacking(pins, done.stderr) not in ("", *firm):
        chosen = chosen_by_pip(firm, release, lambda wanted: _pip(_DRY, wanted, folder, release))
        done = _install(folder, chosen, release) if chosen else done
    if done.returncode != 0:
        raise _why(pins, release, done.stderr)
    _keep_what_is_the_same(folder)


def _install(folder: Path, pins: tuple[str, ...], release: Release) -> CompletedProcess[str]:
    return _pip(("--no-deps", "--no-compile"), pins, folder, release)


def _pip(
    options: tuple[str, ...], wanted: tuple[str, ...], folder: Path, release: Release
) -> CompletedProcess[str]:
    own = os.environ.get("TRB_WHEELS")
    source: tuple[str, ...] = ("--no-index", "--find-links", own) if own else ()
    command: list[str | Path] = [
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--retries", "2", "--timeout", "20", "--only-binary=:all:", *options),
        *("--implementation", "cp", "--python-version", release.python),
        *(word for name in platforms(release) for word in ("--platform", name)),
        *source,
        *("--target", str(folder), *wanted),
    ]
    try:
        return shell.run(command, timeout_s=_TIMEOUT_S, check=False)
    except CommandFailed as error:  # it hung
        raise MissingTool(f"{', '.join(wanted)} could not be fetched: {error.what}", fix=_BY_HAND) from error


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
    lacking = _lacking(pins, stderr)
    versions = [v for found in _VERSIONS.findall(stderr) for v in found.split(", ") if v not in ("none", "")]
    if lacking and versions:
        name = lacking.partition("==")[0]
        return ExportError(
            f"python.requirements: {lacking} has no wheel for Python {release.python}, which Triton {release.name} has",
            fix=f"install a version that has one, such as `pip install {name}=={versions[-1]}`; or build for a release "
            "with a newer Python (`triton:` in trb.yaml)",
        )
    return MissingTool(f"{', '.join(pins)} could not be fetched:\n{said}", fix=_BY_HAND)


def _lacking(pins: tuple[str, ...], stderr: str) -> str:
    """Return the pin that pip has no wheel of; empty if that is not what it says."""
    return next((pin for pin in pins if f"satisfies the requirement {pin} " in stderr), "")


_BY_HAND: Final = (
    "connect to a package index; or download the wheels where there is one, copy their folder here and set TRB_WHEELS "
    "to it"
)
