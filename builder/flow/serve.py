"""`trb serve`: the repository on a Triton of ours, for as long as it is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from builder import readspec, repository
from builder.flow.door import Step
from builder.flow.packages import require_packages
from builder.server import embedded, require_of_door
from builder.server.endpoint import Endpoint
from builder.server.serving import READY_TIMEOUT_S, Container, Serving
from builder.spec.releases import Release, release, release_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    """What to serve, as the command line says it."""

    server: Literal["embedded", "docker"] = "embedded"
    repository: Path | None = None
    """A folder to serve without a spec."""
    http_port: int | None = None
    grpc_port: int | None = None
    poll: bool = False
    target_torch: bool = False
    ready_timeout_s: float | None = None
    container: Container = field(default_factory=Container)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs, for a report."""

    server: str
    http: str
    grpc: str
    metrics: str
    models: tuple[str, ...]
    log: str
    pid: int | None
    """None: it runs in a container."""
    detached: bool
    container: str | None = None
    notes: tuple[str, ...] = ()
    """What is served and was not published by trb, in models that it published."""

    def __str__(self) -> str:
        stop = "trb serve --server docker --stop" if self.container else "trb serve --stop"
        end = f"{stop} ends it" if self.detached else "Ctrl-C ends it"
        return "\n".join(
            [
                f"{self.server} serves {', '.join(self.models)}",
                f"  HTTP     http://{self.http}",
                f"  gRPC     {self.grpc}",
                f"  metrics  http://{self.metrics}/metrics",
                f"  log      {self.log}",
                *(f"note: {note}" for note in self.notes),
                f"{end}; next: trb check --server http://{self.http} --grpc-url {self.grpc}",
            ]
        )


@contextmanager
def serving(spec_file: Path, request: ServeRequest, *, step: Step) -> Iterator[Served]:
    """Serve until the block ends.

    Raises:
        SpecError: the spec is wrong.
        RepositoryError: the folder to serve without a spec holds no model.
        UsageError: options that cannot be.
        MissingTool: this machine cannot run the embedded server, or there is no Docker daemon.
        ServerError: a port in use, a model that does not load, a server that ends; no image, or one that lacks what a
            Python model imports.
    """
    wanted = _serving(spec_file, request, step)
    with _door(request).running(wanted, on_step=lambda what: step("triton", what)) as endpoint:
        yield _served(wanted.repository, endpoint, detached=False)


def detach(spec_file: Path, request: ServeRequest, *, step: Step) -> Served:
    """Start a server that outlives this process; `stop` ends it.

    Raises:
        As `serving`; ServerError also when one serves this repository already.
    """
    wanted = _serving(spec_file, request, step)
    endpoint = _door(request).start_detached(wanted, on_step=lambda what: step("triton", what))
    return _served(wanted.repository, endpoint, detached=True)


def stop(spec_file: Path, request: ServeRequest) -> None:
    """End the detached server of the repository.

    Raises:
        ServerError: there is none.
    """
    _door(request).stop_detached(_what(spec_file, request)[0])


def require_running(served: Served) -> None:
    """Check that the server still runs.

    Raises:
        ServerError: it has ended.
    """
    if served.container is not None:
        from builder.server import docker

        docker.require_alive(served.container, Path(served.log))
    else:
        assert served.pid is not None
        embedded.require_alive(served.pid, Path(served.log))


def _door(request: ServeRequest) -> Any:
    """Return the module of the server that was asked for: each has the same three functions."""
    if request.server == "docker":
        from builder.server import docker

        return docker
    return embedded


def _serving(spec_file: Path, request: ServeRequest, step: Step) -> Serving:
    root, target = _what(spec_file, request)
    if request.repository is not None:
        repository.require_a_model(root)
    serving = Serving(
        repository=root,
        release=target,
        control="poll" if request.poll else "none",
        http_port=request.http_port,
        grpc_port=request.grpc_port,
        ready_timeout_s=request.ready_timeout_s or READY_TIMEOUT_S,
        target_torch=request.target_torch,
        container=request.container,
        drains=True,
    )
    require_of_door(request.server, serving)
    if request.server == "docker":
        require_packages(serving, repository.models(root), say=lambda what: step("triton", what))
    return serving


def _what(spec_file: Path, request: ServeRequest) -> tuple[Path, Release]:
    if request.repository is not None:
        return request.repository.absolute(), release_of(embedded.SERVER_VERSION)
    read = readspec.read(spec_file)
    return read.repository, release(read.project.triton)


def _served(root: Path, endpoint: Endpoint, *, detached: bool) -> Served:
    models = repository.models(root)
    return Served(
        server=endpoint.description,
        http=endpoint.http,
        grpc=endpoint.grpc,
        metrics=endpoint.metrics or "",
        models=models,
        log=f"docker logs {endpoint.container}" if detached and endpoint.container else str(endpoint.log),
        pid=endpoint.pid,
        container=endpoint.container,
        detached=detached,
        notes=tuple(filter(None, (repository.strangeness(root, name) for name in models))),
    )
