"""A container that outlives `trb serve --detach`, found again by its labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors

from builder.errors import ServerError
from builder.server.docker.daemon import Daemon, connected
from builder.server.docker.failures import said_plainly
from builder.server.docker.ours import Say, end
from builder.server.docker.owner import MARK, REPOSITORY, is_from_here
from builder.server.docker.run import started
from builder.server.docker.signals import as_exceptions
from builder.server.endpoint import Endpoint
from builder.server.serving import Serving
from builder.server.settled import tail

if TYPE_CHECKING:
    from docker.models.containers import Container


def start_detached(serving: Serving, *, on_step: Say | None = None) -> Endpoint:
    """Serve until `stop_detached`; arguments and errors as for `running`.

    Raises:
        ServerError: also when a container of ours serves the repository already.
    """
    with as_exceptions() as signals, connected() as daemon:
        if found := [one for one in _of(daemon, serving.repository) if is_from_here(one.labels)]:
            raise _in_the_way(found[0], serving.repository)
        with started(daemon, serving, signals, on_step or (lambda _: None), stays=True) as endpoint:
            return endpoint


def stop_detached(repository: Path) -> None:
    """End the detached container of `repository`; requests in flight are answered.

    Raises:
        ServerError: there is none.
    """
    with connected() as daemon:
        found = _of(daemon, repository)
        ours = [one for one in found if is_from_here(one.labels)]
        if not ours:
            raise _none(repository, [str(one.name) for one in found])
        for container in ours:
            end(daemon, container, drains=True)


def require_alive(name: str, log: Path) -> None:
    """Check that the container called `name` still runs.

    Raises:
        ServerError: it has ended, or is gone; its last lines.
    """
    with connected() as daemon, said_plainly("watching the container", daemon.address):
        try:
            status = daemon.client.containers.get(name).status
        except docker.errors.NotFound:
            status = "gone"
    if status != "running":
        raise ServerError(
            f"the container {name} is {status}; its last lines:\n{tail(log)}", fix=f"the whole log: {log}"
        )


def _none(repository: Path, of_others: Sequence[str]) -> ServerError:
    if of_others:
        names = " ".join(of_others)
        return ServerError(
            f"no detached container of this machine serves {repository}; {names} serves that path of another one",
            fix=f"stop it there; `docker rm -f {names}` ends it from anywhere",
        )
    return ServerError(
        f"no detached container of ours serves {repository}",
        fix="start one with `trb serve --server docker --detach`",
    )


def _in_the_way(container: "Container", repository: Path) -> ServerError:
    if container.status == "running":
        return ServerError(
            f"the container {container.name} serves {repository} already",
            fix="stop it with `trb serve --server docker --stop`",
        )
    return ServerError(
        f"the container {container.name} served {repository}, and is {container.status}",
        fix=f"`docker logs {container.name}` says why; `trb serve --server docker --stop` removes it",
    )


def _of(daemon: Daemon, repository: Path) -> "list[Container]":
    wanted: dict[str, str | list[str] | bool] = {"label": [f"{MARK}=detached", f"{REPOSITORY}={repository}"]}
    with said_plainly("looking for containers", daemon.address):
        return list(daemon.client.containers.list(all=True, filters=wanted, ignore_removed=True))
