"""`trb image build`: our Triton for CPUs as a Docker image, or the build context of it."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from packaging.requirements import InvalidRequirement, Requirement

from builder import readspec
from builder.errors import UsageError
from builder.flow.door import Step
from builder.server import embedded
from builder.server.docker.images import PACKAGES_LABEL, RUNTIMES_LABEL
from builder.server.image import build as on_daemon
from builder.server.image.context import context, write
from builder.server.image.plan import DEFAULT_BASE, Plan
from builder.server.image.wheels import wheels
from builder.spec.releases import Release, release, release_of

_MB: Final = 1_000_000
_SUBJECT: Final = "image"
_PYTHON: Final = "3.11"
"""Of the default base; a context that is written for elsewhere has this one's wheels."""
_NAME: Final = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*(?::\w[\w.-]{0,127})?", re.ASCII
)
"""As Docker's distribution/reference has it: a registry, a path in lower case, a tag."""
_MOUNT: Final = '-v "$PWD/model_repository:/models:ro"'


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """What to build, as the command line says it."""

    tag: str | None = None
    triton: str | None = None
    base: str = DEFAULT_BASE
    network: str | None = None
    without: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    """Files of requirements, or requirements."""
    log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """The image, for a report."""

    tag: str
    id: str
    triton: str
    """The release."""
    server: str
    """Version of the server core in it."""
    size_mb: int
    packages: dict[str, str]
    """Versions by package, Python's own included."""
    is_new: bool

    def __str__(self) -> str:
        pairs = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        return "\n".join(
            [
                f"{self.tag} {'built' if self.is_new else 'is up to date: the same went into it'}",
                f"  id        {self.id}",
                f"  size      {self.size_mb} MB",
                f"  triton    {self.server}, for repositories of {self.triton}",
                f"  packages  {pairs}",
                f"next: docker run --rm --shm-size=1g -p 127.0.0.1:8000:8000 {_MOUNT} {self.tag}",
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenContext:
    """A build context on this machine, for a report."""

    folder: str
    tag: str

    def __str__(self) -> str:
        return f"{self.folder} holds the build context\nnext: docker build -t {self.tag} {self.folder}"


def build(spec_file: Path, request: ImageRequest, *, step: Step) -> BuiltImage:
    """Build the image.

    Raises:
        SpecError: the spec is wrong, or no such release.
        UsageError: options that contradict each other, or a file that cannot be read.
        MissingTool: no daemon, no base image, no network, no wheel, no room.
        ServerError: the daemon does not answer, or a step fails for another reason.
    """
    wanted = plan(spec_file, request)
    name = tag(request, wanted)
    with ExitStack() as stack:
        log = stack.enter_context(_opened(request.log)) if request.log else None
        built = on_daemon.build(
            wanted,
            tag=name,
            network=request.network,
            say=lambda what: step(_SUBJECT, what),
            log=log,
        )
    return _report(built, wanted)


def write_context(spec_file: Path, request: ImageRequest, folder: Path, *, step: Step) -> WrittenContext:
    """Write what a build is given, and build nothing.

    Raises:
        As `build`; UsageError also when `folder` holds something.
    """
    wanted = plan(spec_file, request)
    name = tag(request, wanted)
    _require_empty(folder)
    step(_SUBJECT, "resolving wheels")
    found = wheels(wanted, _PYTHON)
    step(_SUBJECT, "writing the build context")
    write(context(wanted, found, python=_PYTHON, made_on=""), folder)
    return WrittenContext(folder=str(folder), tag=name)


def plan(spec_file: Path, request: ImageRequest) -> Plan:
    """Return what the image is to hold.

    Raises:
        SpecError: the spec is wrong, or no such release.
        UsageError: no requirement, or a file of them that cannot be read.
    """
    return Plan(
        release=_release(spec_file, request.triton),
        base=request.base,
        without=frozenset(request.without),
        requirements=tuple(line for text in request.requirements for line in _lines(text)),
    )


def _release(spec_file: Path, named: str | None) -> Release:
    if named is not None:
        return release(named)
    if spec_file.exists():
        return release(readspec.read(spec_file).project.triton)
    return release_of(embedded.SERVER_VERSION)


def _lines(text: str) -> Iterator[str]:
    """Yield the requirements in the file `text`, or `text` itself where there is none of this name."""
    file = Path(text)
    if not file.is_file():
        yield _requirement(text)
        return
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", fix="name a file of requirements") from error
    plain = (line.partition(" #")[0].strip() for line in lines)
    yield from (_requirement(line) for line in plain if line and not line.startswith("#"))


def _requirement(text: str) -> str:
    try:
        if Requirement(text).url is None and not text.endswith(".txt"):  # a name may, and a file's does
            return text
    except InvalidRequirement:
        pass
    raise UsageError(
        f"--requirements: {text} is no requirement that a wheel on an index can meet, and no file",
        fix="write it like 'pillow==12.3.0', or name a file of such lines",
    )


def tag(request: ImageRequest, wanted: Plan) -> str:
    """Return the name of the image.

    Raises:
        UsageError: no image can have it.
    """
    name = request.tag or f"trb-triton:{wanted.release.name}-cpu"
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"no image can be called {name!r}",
            fix="write --tag as NAME:TAG in lower case, such as team/triton:1",
        )
    return name


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what a full disk does not take fails once, and not again as it closes.
        return log.open("wb", buffering=0)
    except OSError as error:
        raise UsageError(f"{log} cannot be written: {error.strerror}", fix="name another --log") from error


def _require_empty(folder: Path) -> None:
    """Make `folder`, so that it is there for what takes minutes to come by."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"{folder} is no folder to write in: {error.strerror}", fix="name a new folder, or an empty one"
        ) from error
    if not is_empty:
        raise UsageError(f"{folder} holds something already", fix="name a new folder, or an empty one")


def _report(built: on_daemon.Image, plan: Plan) -> BuiltImage:
    runs = json.loads(built.labels[RUNTIMES_LABEL])["python"]
    return BuiltImage(
        tag=built.tag,
        id=built.id,
        triton=plan.release.name,
        server=embedded.SERVER_VERSION,
        size_mb=round(built.size_bytes / _MB),
        packages={"python": runs["python"], **json.loads(built.labels[PACKAGES_LABEL])},
        is_new=built.is_new,
    )
