"""A server over a repository: for the length of a `with`, or detached."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import ServerError
from builder.server.embedded.launch import (
    Installed,
    Ports,
    command,
    environment,
    free_ports,
    install,
)
from builder.server.embedded.process import start_bound, stop
from builder.server.embedded.ready import PortTaken, wait_until_ready
from builder.server.embedded.stub_python import stub_versions
from builder.server.endpoint import Endpoint
from builder.server.logs import log_folder, versions_folder
from builder.server.serving import Serving
from builder.server.settled import STARTING_AGAIN, STARTS, Aborted
from builder.server.wanted import require_free, wanted_models
from builder.spec import places

if TYPE_CHECKING:
    from subprocess import Popen

SERVER_VERSION: Final = "2.51.0"
"""Of the server core in the wheel."""

Say = Callable[[str], None]
Starter = Callable[..., "Popen[bytes]"]


@contextmanager
def running(serving: Serving, *, on_step: Say | None = None) -> Iterator[Endpoint]:
    """Serve on 127.0.0.1 until the block ends or this process dies, however it dies.

    Args:
        serving: what, and how.
        on_step: told, in a few words, what is being done.

    Raises:
        MissingTool: this machine cannot run the embedded server.
        ServerError: a port in use, a model that does not load, a server that ends.
    """
    say = on_step or (lambda _: None)
    process, endpoint = started(serving, starter=start_bound, say=say)
    try:
        yield endpoint
    finally:
        stop(process)


def started(serving: Serving, *, starter: Starter, say: Say) -> tuple["Popen[bytes]", Endpoint]:
    """Start a server and return it when all its models are loaded; one that fails is stopped.

    Raises:
        MissingTool: this machine cannot run the embedded server.
        ServerError: it did not load them.
    """
    names = wanted_models(serving)
    require_free(serving)
    installed = install(serving.release, target_torch=serving.target_torch, say=say)
    with _said_plainly():
        folder = log_folder(serving.log_dir or places.logs(serving.repository), say)
    say(f"starting Triton {SERVER_VERSION} with {len(names)} model{'' if len(names) == 1 else 's'}")
    for left in reversed(range(STARTS)):
        ports = free_ports(http=serving.http_port, grpc=serving.grpc_port)
        try:
            return _started_on(ports, serving, names, installed, folder, starter)
        except (PortTaken, Aborted) as error:
            if not left:
                raise
            if isinstance(error, Aborted):
                say(STARTING_AGAIN)
    raise AssertionError("the last start returns or raises")


def _started_on(
    ports: Ports, serving: Serving, names: Sequence[str], installed: Installed, logs: Path, starter: Starter
) -> tuple["Popen[bytes]", Endpoint]:
    endpoint = _endpoint(ports, logs)
    assert endpoint.log is not None
    assert endpoint.versions_dir is not None
    root = serving.repository.absolute()
    words = command(installed, root, ports, models=serving.models, control=serving.control)
    with _said_plainly():
        endpoint.versions_dir.mkdir(exist_ok=True)
        (endpoint.versions_dir / "python.json").write_text(json.dumps(stub_versions()), encoding="utf-8")
        process = starter(words, env=environment(installed, endpoint.versions_dir), log=endpoint.log)
    try:
        wait_until_ready(process, ports, names, log=endpoint.log, timeout_s=serving.ready_timeout_s)
    except BaseException:  # Ctrl-C too: nothing is left running
        stop(process)
        raise
    return process, replace(endpoint, pid=process.pid)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn what the operating system refuses into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise ServerError(
            f"Triton could not be started: {error.strerror}: {error.filename}",
            fix="free some space, or serve a repository beside which you may write",
        ) from error


def _endpoint(ports: Ports, folder: Path) -> Endpoint:
    log = folder / f"triton-{time.strftime('%Y%m%d-%H%M%S')}-{ports.http}.log"
    return Endpoint(
        http=f"127.0.0.1:{ports.http}",
        grpc=f"127.0.0.1:{ports.grpc}",
        metrics=f"127.0.0.1:{ports.metrics}",
        kind="embedded",
        description=f"embedded Triton {SERVER_VERSION}",
        log=log,
        versions_dir=versions_folder(log),
        has_stand_ins=True,
    )
