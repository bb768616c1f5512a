"""A server over a repository: for the length of a `with`, or detached."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import ServerError
from builder.server.embedded.launch import (
    Control,
    Installed,
    Ports,
    command,
    environment,
    free_ports,
    install,
    is_free,
    model_folders,
)
from builder.server.embedded.process import start_bound, stop
from builder.server.embedded.ready import PortTaken, require_loaded, wait_until_loaded
from builder.server.endpoint import Endpoint
from builder.spec.releases import Release

if TYPE_CHECKING:
    from subprocess import Popen

SERVER_VERSION: Final = "2.51.0"
"""Of the server core in the wheel."""
READY_TIMEOUT_S: Final = 300.0
_ATTEMPTS: Final = 3

Say = Callable[[str], None]
Starter = Callable[..., "Popen[bytes]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to serve, and how."""

    repository: Path
    models: Sequence[str] | None = None
    """Only these; None: all."""
    control: Control = "none"
    http_port: int | None = None
    """None: any free port."""
    grpc_port: int | None = None
    ready_timeout_s: float = READY_TIMEOUT_S

    @property
    def names(self) -> tuple[str, ...]:
        """The models that must load."""
        return model_folders(self.repository) if self.models is None else tuple(self.models)


@contextmanager
def running(
    repository: Path,
    *,
    release: Release,
    log_dir: Path,
    models: Sequence[str] | None = None,
    control: Control = "none",
    http_port: int | None = None,
    grpc_port: int | None = None,
    ready_timeout_s: float = READY_TIMEOUT_S,
    target_torch: bool = False,
    on_step: Say | None = None,
) -> Iterator[Endpoint]:
    """Serve `repository` on 127.0.0.1 until the block ends or this process dies, however it dies.

    Args:
        repository: the model repository.
        release: the target; its ONNX Runtime runs the ONNX models where this Python has a wheel of it.
        log_dir: where the server's log is kept.
        models: only these, None for all; every one must load.
        control: `poll` notices changes of the repository within a second or two; `explicit` takes load calls.
        http_port: the port to listen on, None for any free one; `grpc_port` likewise.
        grpc_port: see `http_port`.
        ready_timeout_s: seconds the models may take to load.
        target_torch: run TorchScript models in the release's own torch, a large download.
        on_step: told, in a few words, what is being done.

    Raises:
        MissingTool: this machine cannot run the embedded server.
        ServerError: a port in use, a model that does not load, a server that ends.
    """
    say = on_step or (lambda _: None)
    wish = Wish(
        repository=repository.absolute(),
        models=models,
        control=control,
        http_port=http_port,
        grpc_port=grpc_port,
        ready_timeout_s=ready_timeout_s,
    )
    require_sense(wish)
    process, endpoint = started(
        wish, install(release, target_torch=target_torch, say=say), log_dir, starter=start_bound, say=say
    )
    try:
        yield endpoint
    finally:
        stop(process)


def require_sense(wish: Wish) -> None:
    """Check what can be checked before anything is fetched or started.

    Raises:
        ServerError: no such repository, no model in it, or a port in use.
    """
    if not wish.repository.is_dir():
        raise ServerError(f"there is no model repository at {wish.repository}", fix="run `trb build` first")
    if wish.control == "none" and not wish.names:
        raise ServerError(f"{wish.repository} holds no model", fix="run `trb build` first")
    if absent := [name for name in wish.names if not (wish.repository / name).is_dir()]:
        raise ServerError(
            f"{wish.repository} has no model {', '.join(absent)}",
            fix=f"run `trb build`; it has: {', '.join(model_folders(wish.repository)) or 'none'}",
        )
    for port in filter(None, (wish.http_port, wish.grpc_port)):
        if not is_free(port):
            raise ServerError(f"port {port} is in use", fix="free it, or choose another port")


def started(
    wish: Wish, installed: Installed, log_dir: Path, *, starter: Starter, say: Say
) -> tuple["Popen[bytes]", Endpoint]:
    """Start a server and return it when all its models are loaded; one that fails is stopped.

    Raises:
        ServerError: it did not load them.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        ports = free_ports(http=wish.http_port, grpc=wish.grpc_port)
        endpoint = _endpoint(ports, log_dir)
        try:
            return _started_on(ports, endpoint, wish, installed, starter=starter, say=say)
        except PortTaken:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _started_on(
    ports: Ports, endpoint: Endpoint, wish: Wish, installed: Installed, *, starter: Starter, say: Say
) -> tuple["Popen[bytes]", Endpoint]:
    assert endpoint.log is not None
    assert endpoint.versions_dir is not None
    endpoint.versions_dir.mkdir(parents=True, exist_ok=True)
    say(f"starting Triton {SERVER_VERSION} with {len(wish.names)} models")
    process = starter(
        command(installed, wish.repository, ports, models=wish.models, control=wish.control),
        env=environment(installed, endpoint.versions_dir),
        log=endpoint.log,
    )
    try:
        wait_until_loaded(process, ports, log=endpoint.log, timeout_s=wish.ready_timeout_s)
        require_loaded(ports.http, wish.names, endpoint.log)
    except BaseException:  # Ctrl-C too: nothing is left running
        stop(process)
        raise
    return process, replace(endpoint, pid=process.pid)


def _endpoint(ports: Ports, log_dir: Path) -> Endpoint:
    stem = f"triton-{time.strftime('%Y%m%d-%H%M%S')}-{ports.http}"
    return Endpoint(
        http=f"127.0.0.1:{ports.http}",
        grpc=f"127.0.0.1:{ports.grpc}",
        metrics=f"127.0.0.1:{ports.metrics}",
        kind="embedded",
        description=f"embedded Triton {SERVER_VERSION}",
        log=log_dir.absolute() / f"{stem}.log",
        versions_dir=log_dir.absolute() / f"{stem}.versions",
    )
