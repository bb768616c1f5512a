"""The wheels of an image, for its Python and not for the one that runs here."""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from builder import shell
from builder.errors import CommandFailed, MissingTool
from builder.server.embedded.cache import whole_folder
from builder.server.embedded.stub_python import NUMPY, TORCH_CPU_INDEX
from builder.server.embedded.wheels import PYTRITON, pinned_sha256
from builder.server.image.plan import Plan
from builder.spec.hashing import file_sha256

_TIMEOUT_S: Final = 1800.0
_PINNED: Final = Path(__file__).parent / "pinned.txt"
_GLIBC: Final = (35, 5)
"""The newest 2.x whose wheels are taken: the oldest that the server itself runs on; and the oldest there are."""
_LACKING: Final = re.compile(r"No matching distribution found for (\S+)")
_CONFLICT: Final = re.compile(
    r"^(?:ERROR: )?(?:Cannot install .*|.* depends on .*|.*The user requested.*)", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Wheel files, and what is in them."""

    files: tuple[Path, ...]
    versions: Mapping[str, str]
    """By package; without the server and pip, which are no packages of the image's Python."""


def wheels(plan: Plan, python: str) -> Wheels:
    """Return the wheels of `plan` for a Python such as `3.11`, fetched the first time.

    pip's own settings hold. With `TRB_WHEELS=DIR` a folder replaces the index.

    Raises:
        MissingTool: there is no wheel of one for this Python, no network, no pip, or a cache that cannot be written.
    """
    _require_runtime(plan, python)
    server = whole_folder(f"image-server-{PYTRITON.version}", _fetch_server)
    asked = wanted(plan)
    kept = pins(plan.requirements)
    key = hashlib.sha256("\n".join((*asked, "", *kept)).encode()).hexdigest()[:12]
    packages = whole_folder(f"image-wheels-{python}-{key}", lambda into: _fetch(asked, kept, python, into))
    found = {
        name: version for name, version, *_ in (parse_wheel_filename(one.name) for one in _files(packages))
    }
    return Wheels(
        files=tuple(sorted((*_files(server), *_files(packages)), key=lambda path: path.name)),
        versions={str(name): str(found[name]) for name in sorted(found) if name != "pip"},
    )


def _require_runtime(plan: Plan, python: str) -> None:
    version = plan.release.onnxruntime
    hashes = pinned_sha256("onnxruntime", version)
    if "onnxruntime" in plan.backends and hashes is not None and f"cp{python.replace('.', '')}" not in hashes:
        raise MissingTool(
            f"ONNX Runtime {version}, which Triton {plan.release.name} has, was never built for Python {python}",
            fix="choose another --triton release, or --without onnxruntime",
        )


def wanted(plan: Plan) -> tuple[str, ...]:
    """Return what an image asks for, as pip takes it."""
    release = {
        "onnxruntime": f"onnxruntime=={plan.release.onnxruntime}",
        "torch": f"torch=={metadata.version('torch').partition('+')[0]}+cpu",
    }
    runtimes = [release[package] for package in plan.backends.values()]
    return (f"numpy=={NUMPY}", *runtimes, "pip", *plan.requirements)


def pins(requirements: Sequence[str]) -> tuple[str, ...]:
    """Return our pins, but of what the user names: there the user's word counts."""
    named = {_name(text) for text in requirements}
    lines = _PINNED.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#") and _name(line) not in named)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _fetch_server(folder: Path) -> None:
    _download((f"{PYTRITON.project}=={PYTRITON.version}",), folder, python="3.11", more=("--no-deps",))
    assert PYTRITON.sha256 is not None
    _require_sha256(next(folder.glob("*.whl")), PYTRITON.sha256)


def _fetch(wanted: Sequence[str], pins: Sequence[str], python: str, folder: Path) -> None:
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
    torch = next((one for one in wanted if one.startswith("torch==")), None)
    more: tuple[str, ...] = ("--constraint", str(constraints))
    if torch is not None:  # alone: PyTorch's own index has old versions of much else
        aside = folder / "torch"
        _download_torch(torch, aside, python)
        more = (*more, "--find-links", str(aside))
    _download(wanted, folder, python=python, more=more)
    constraints.unlink()
    _require_pinned(folder)
    if torch is not None:
        shutil.rmtree(aside)


def _download_torch(requirement: str, folder: Path, python: str) -> None:
    """Fetch the CPU build: from where pip looks, else from PyTorch's index; PyPI's torch is the CUDA build."""
    try:
        _download((requirement,), folder, python=python, more=("--no-deps",))
    except MissingTool:
        if os.environ.get("TRB_WHEELS"):
            raise
        _download((requirement,), folder, python=python, more=("--no-deps", "--index-url", TORCH_CPU_INDEX))


def _download(wanted: Sequence[str], folder: Path, *, python: str, more: Sequence[str]) -> None:
    own = os.environ.get("TRB_WHEELS")
    source: tuple[str, ...] = ("--no-index", "--find-links", own) if own else ()
    tag = f"cp{python.replace('.', '')}"
    command: list[str | Path] = [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--retries", "2", "--timeout", "20", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", python),
        *("--abi", tag, "--abi", "abi3", "--abi", "none"),
        *(word for name in platforms() for word in ("--platform", name)),
        *source,
        *more,
        *("--dest", folder),
        *wanted,
    ]
    try:
        done = shell.run(command, timeout_s=_TIMEOUT_S, check=False)
    except CommandFailed as error:  # it hung
        raise why(wanted, python, error.what) from error
    if done.returncode != 0:
        raise why(wanted, python, done.stderr)


def platforms() -> tuple[str, ...]:
    """Return the platforms whose wheels run in the image, the newest first."""
    newest, oldest = _GLIBC
    numbered = (f"manylinux_2_{minor}_x86_64" for minor in range(newest, oldest - 1, -1))
    return (*numbered, "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64")


def why(wanted: Sequence[str], python: str, said: str) -> MissingTool:
    """Return the error for what pip `said` as it looked for wheels of `wanted`."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    tail = "\n".join(f"  {line}" for line in lines[-5:])
    if "No module named pip" in said:
        return MissingTool(
            f"wheels are fetched with pip, and this Python has none: {sys.executable}",
            fix=f"run `{sys.executable} -m ensurepip`",
        )
    if "ResolutionImpossible" in said or "conflicting dependencies" in said:
        told = "\n".join(f"  {line}" for line in dict.fromkeys(map(str.strip, _CONFLICT.findall(said))))
        return MissingTool(
            f"the image's packages contradict each other:\n{told or tail}",
            fix="ask for another version with --requirements; numpy, torch and ONNX Runtime are the image's own",
        )
    found = _LACKING.search(said)
    if found and "(from versions: none)" not in said:
        return MissingTool(
            f"{found[1]} has no wheel for Linux x86_64 and Python {python}, which the image has",
            fix="ask for a version that has one, or choose a --base with another Python",
        )
    what = found[1] if found else ", ".join(wanted)
    return MissingTool(f"{what} could not be fetched for the image:\n{tail}", fix=_BY_HAND)


def _require_pinned(folder: Path) -> None:
    for file in _files(folder):
        name, version, _, tags = parse_wheel_filename(file.name)
        hashes = pinned_sha256(name, str(version))
        python = next(iter(tags)).interpreter
        if hashes is not None and python in hashes:
            _require_sha256(file, hashes[python])


def _require_sha256(file: Path, wanted: str) -> None:
    if (found := file_sha256(file)) != wanted:
        raise MissingTool(
            f"{file.name} is not the file that trb was tested with: its sha256 is {found}, expected {wanted}",
            fix="fetch from https://pypi.org, or put the right file in a folder and set TRB_WHEELS to it",
        )


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.whl")))


_BY_HAND: Final = (
    "check the name, and connect to a package index; or download the wheels where there is one, copy their folder here "
    "and set TRB_WHEELS to it"
)
