"""What a build of the image is given: a Dockerfile and the files that it copies, the same bytes for the same plan."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import builder
from builder import __version__
from builder.assets import asset
from builder.server.embedded.backends import stand_in_files
from builder.server.embedded.stub_python import NUMPY
from builder.server.image.needs import stand_in_needs
from builder.server.image.plan import Plan
from builder.server.image.wheels import Wheels
from builder.spec.hashing import file_sha256

_PACKAGE: Final = Path(builder.__file__).parent
_INSIDE: Final = Path(__file__).parent / "inside"
_HOME: Final = "/opt/tritonserver"
_PIECE_BYTES: Final = 1 << 20
_PROGRAMS: Final = frozenset({f"parts{_HOME}/bin/tritonserver"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A build context, by path in it: bytes, or the file that has them."""

    files: Mapping[str, bytes | Path]
    inputs: str
    """A hash of all of it: the image's label `trb.inputs`."""


def context(plan: Plan, wheels: Wheels, *, python: str, made_on: str) -> Context:
    """Return the build context.

    Args:
        plan: what the image is to hold.
        wheels: those of the plan, for the image's Python.
        python: version of that Python, such as `3.11.2`; `3.11` where no more is known.
        made_on: what else the image comes of, such as the id of its base.
    """
    versions = runtimes(plan, wheels.versions, python)
    files: dict[str, bytes | Path] = {
        **{f"wheels/{file.name}": file for file in wheels.files},
        "install.py": _INSIDE / "install.py",
        **{f"parts{_HOME}/{path}": content for path, content in _parts(plan, versions, python)},
    }
    arguments = {
        "BASE": plan.base,
        "RELEASE": plan.release.name,
        "RUNTIMES": json.dumps(versions, sort_keys=True),
        "PACKAGES": json.dumps(dict(wheels.versions), sort_keys=True),
        "TRB": __version__,
    }
    digest = _digest({**files, "Dockerfile": dockerfile(arguments)}, made_on)
    return Context(files={"Dockerfile": dockerfile({**arguments, "INPUTS": digest}), **files}, inputs=digest)


def runtimes(plan: Plan, versions: Mapping[str, str], python: str) -> Mapping[str, Mapping[str, str]]:
    """Return versions by package for each backend, as `Endpoint.runtime` gives them."""
    beside = {"numpy": NUMPY, "python": python}
    found = {name: {package: versions[package], **beside} for name, package in plan.backends.items()}
    return {**found, "python": beside}


def dockerfile(arguments: Mapping[str, str]) -> bytes:
    """Return `docker/Dockerfile` with the defaults of its ARGs."""
    lines = asset("docker/Dockerfile").read_text(encoding="utf-8").splitlines()
    return "".join(f"{_filled(line, arguments)}\n" for line in lines).encode()


def _filled(line: str, arguments: Mapping[str, str]) -> str:
    name, has_default, _ = line.removeprefix("ARG ").partition("=")
    if line.startswith("ARG ") and has_default and name in arguments:
        return f"ARG {name}='{arguments[name]}'"
    return line


def write(made: Context, folder: Path) -> None:
    """Write the context into `folder`, which is new or empty, for a build elsewhere."""
    for name, content in made.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_bytes(content)
        target.chmod(_mode(name))


def packed(made: Context) -> Iterator[bytes]:
    """Yield the context as a tar, piece by piece: fixed order, times and owners."""
    for name in _folders(made.files):  # without them a daemon chooses their mode
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        yield entry.tobuf(tarfile.GNU_FORMAT)
    for name in sorted(made.files):
        content = made.files[name]
        entry = tarfile.TarInfo(name)
        entry.mode = _mode(name)
        entry.size = content.stat().st_size if isinstance(content, Path) else len(content)
        yield entry.tobuf(tarfile.GNU_FORMAT)
        yield from _pieces(content)
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _parts(plan: Plan, versions: Mapping[str, Mapping[str, str]], python: str) -> Iterator[tuple[str, bytes]]:
    yield "bin/tritonserver", asset("docker/tritonserver").read_bytes()
    yield "healthy.py", (_INSIDE / "healthy.py").read_bytes()
    yield "runtimes/python.json", json.dumps(versions["python"], sort_keys=True).encode()
    minor = ".".join(python.split(".")[:2])
    yield f"python/lib/python{minor}/site-packages/trb.pth", f"{_HOME}/trb\n".encode()
    for path, content in stand_in_files().items():
        if path.split("/")[0] in plan.backends:
            yield f"backends/{path}", content
    for path in stand_in_needs():
        yield f"trb/builder/{path}", (_PACKAGE / path).read_bytes()


def _folders(names: Iterable[str]) -> tuple[str, ...]:
    found = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return tuple(sorted(found - {"."}))


def _mode(name: str) -> int:
    return 0o755 if name in _PROGRAMS else 0o644


def _digest(files: Mapping[str, bytes | Path], made_on: str) -> str:
    digest = hashlib.sha256(made_on.encode())
    for name in sorted(files):
        content = files[name]
        own = file_sha256(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
        digest.update(f"\n{name} {_mode(name):o} {own}".encode())
    return digest.hexdigest()
