"""`trb compose`: a stack of Triton, Prometheus and Grafana around the spec's repository."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder import readspec
from builder.deploy import Changes, Images, Ports, Served, Stack, files, write
from builder.errors import RepositoryError
from builder.flow.live import Target, targets
from builder.flow.select import select
from builder.server.docker.gpus import gpus
from builder.server.docker.images import image_name
from builder.server.docker.shm import shm_bytes
from builder.spec.project import ReadProject
from builder.spec.releases import release
from builder.spec.tensors import unique


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeRequest:
    """The stack that is wanted, as the command line says it."""

    out: Path | None = None
    """None: `docker` beside the spec."""
    image: str | None = None
    """None: the official image of the spec's release."""
    prometheus_image: str | None = None
    grafana_image: str | None = None
    gpus: str | None = None
    quantiles: bool = True
    ports: Ports = field(default_factory=Ports)
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenStack:
    """What `trb compose` wrote."""

    folder: Path
    changes: Changes
    ports: Ports

    def __str__(self) -> str:
        return "\n".join(
            [
                *(f"wrote {self.folder / name}" for name in self.changes.written),
                *(f"as it was: {self.folder / name}" for name in self.changes.kept),
                f"next: docker compose --project-directory {shlex.quote(str(self.folder))} up --wait",
                f"  Triton      http://127.0.0.1:{self.ports.http}",
                f"  Prometheus  http://127.0.0.1:{self.ports.prometheus}",
                f"  Grafana     http://127.0.0.1:{self.ports.grafana}",
            ]
        )


def compose(spec_file: Path, names: Sequence[str], request: ComposeRequest) -> WrittenStack:
    """Write compose.yaml and what belongs to it, for the spec's models and pipelines or those called `names`.

    Raises:
        SpecError: the spec has mistakes.
        UsageError: it has none of that name; a port twice; what `--gpus` cannot mean; files that were edited.
        RepositoryError: one was not built.
    """
    read = readspec.read(spec_file)
    out = request.out if request.out is not None else spec_file.parent / "docker"
    found = targets(read, select(read.project, names), names)
    if found.missing:
        raise RepositoryError(
            "\n".join(f"{one.triton_name}: {one.why}" for one in found.missing),
            fix="build them first, or name the models that are wanted: trb compose MODEL",
        )
    stack = _stack(read, found.targets, out, request)
    return WrittenStack(
        folder=out, changes=write(files(stack), out, force=request.force), ports=request.ports
    )


def _stack(read: ReadProject, found: Sequence[Target], out: Path, request: ComposeRequest) -> Stack:
    of = release(read.project.triton)
    loads = unique(name for one in found for name in one.loads)
    given = {"prometheus": request.prometheus_image, "grafana": request.grafana_image}
    return Stack(
        project=_project(read.folder),
        release=of,
        repository=Path(os.path.relpath(read.repository, out.absolute())).as_posix(),
        served=tuple(_served(found)),
        loads=loads,
        images=Images(
            triton=image_name(request.image, of),
            **{name: image for name, image in given.items() if image is not None},
        ),
        ports=request.ports,
        gpus=gpus(request.gpus),
        has_quantiles=request.quantiles,
        shm_bytes=shm_bytes(
            read.repository, loads, all_in_stubs=True
        ),  # whichever the image; it costs nothing
    )


def _served(found: Sequence[Target]) -> Iterator[Served]:
    for one in found:
        steps = one.made_of.note.served.steps if one.made_of is not None else ()
        yield Served(name=one.triton_name, steps=unique(step.model for step in steps))


def _project(folder: Path) -> str:
    """Return a name that Docker Compose takes: after the folder of the spec."""
    return f"trb-{re.sub(r'[^a-z0-9_-]+', '-', folder.name.lower()).strip('-_') or 'models'}"
