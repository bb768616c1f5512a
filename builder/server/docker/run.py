"""A server in a container over a repository: for the length of a `with`, or detached."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker.errors

from builder.errors import ServerError, TrbError, UsageError
from builder.server.docker.command import EXIT_TIMEOUT_S, GRPC, HTTP, METRICS
from builder.server.docker.container import (
    ULIMITS,
    Order,
    create,
    fill,
    is_copied,
    published,
    remove,
    start,
)
from builder.server.docker.daemon import LOOPBACK, Daemon, connected
from builder.server.docker.failures import RAISED, said_plainly
from builder.server.docker.gpus import gpus
from builder.server.docker.images import find_image, image_name
from builder.server.docker.log import Follower
from builder.server.docker.ready import ended, wait_until_ready
from builder.server.docker.refused import UlimitsRefused
from builder.server.docker.signals import Signals, as_exceptions
from builder.server.endpoint import Endpoint
from builder.server.logs import log_folder
from builder.server.serving import Serving
from builder.server.wanted import require_free, wanted_models
from builder.spec import places

if TYPE_CHECKING:
    from docker.models.containers import Container

_DRAIN_S: Final = EXIT_TIMEOUT_S + 4
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - only where a person asks for it

Say = Callable[[str], None]


@contextmanager
def running(serving: Serving, *, on_step: Say | None = None) -> Iterator[Endpoint]:
    """Serve in a container until the block ends; it is removed on every way out, by a signal too.

    Args:
        serving: what, and how.
        on_step: told, in a few words, what is being done.

    Raises:
        MissingTool: there is no Docker daemon, or we may not use it.
        ServerError: no image, a port in use, a model that does not load, a container that ends.
        UsageError: options that cannot be.
    """
    say = on_step or (lambda _: None)
    with (
        as_exceptions() as signals,
        connected() as daemon,
        started(daemon, serving, signals, say) as endpoint,
    ):
        yield endpoint


@contextmanager
def started(
    daemon: Daemon, serving: Serving, signals: Signals, say: Say, *, stays: bool = False
) -> Iterator[Endpoint]:
    """Serve in a container until the block ends, or for longer where it `stays`; one that fails does not stay.

    Raises:
        ServerError: no image, a port in use, a model that does not load, a container that ends.
        UsageError: options that cannot be.
    """
    order = _order(daemon, serving, say, detached=stays)
    say(f"starting {order.image.name} with {len(order.names)} model{'' if len(order.names) == 1 else 's'}")
    container: Container | None = None
    follower: Follower | None = None
    try:
        with signals.held():  # once it is there, it is ours to remove
            container = create(order, ULIMITS)
        try:
            _set_off(order, container, say)
        except UlimitsRefused:  # a rootless daemon, or one in a sandbox
            say("the Docker daemon may not raise limits: the container gets the usual ones")
            with signals.held():
                end(daemon, container, drains=False)
                container = None
                container = create(order, ())
            _set_off(order, container, say)
        log = _log(serving, container, say)
        follower = Follower(container, log)
        yield _when_ready(order, container, follower, log)
        if stays:
            container = None
    except ServerError as error:
        if container is None or follower is None or not _has_ended(container):
            raise
        raise ended(container, follower, log) from error  # why nobody answers any more
    finally:
        with signals.held():
            if container is not None:
                end(daemon, container, drains=serving.drains)


def _has_ended(container: "Container") -> bool:
    """Whether a container is there and runs no more; what the daemon does not tell is not known."""
    try:
        container.reload()
    except RAISED:
        return False
    return container.status in ("exited", "dead")


def _order(daemon: Daemon, serving: Serving, say: Say, *, detached: bool) -> Order:
    """Return what is to be made, after all that can be checked before an image is fetched."""
    names = wanted_models(serving)
    if serving.container.copies and serving.control == "poll":
        raise UsageError("--poll sees no change of a copy", fix="leave out --poll or --copy")
    given = gpus(serving.container.gpus)
    _reach(daemon, serving.container.publish)
    if daemon.host in LOOPBACK:
        require_free(serving)
    return Order(
        daemon=daemon,
        image=find_image(daemon, image_name(serving.container.image, serving.release), say),
        serving=serving,
        names=names,
        gpus=given,
        copies=is_copied(daemon, serving, names),
        detached=detached,
    )


def _set_off(order: Order, container: "Container", say: Say) -> None:
    fill(order, container, say)
    start(order, container)


def _when_ready(order: Order, container: "Container", follower: Follower, log: Path) -> Endpoint:
    with said_plainly("watching the container", order.daemon.address):
        if container.status != "running":
            raise ended(container, follower, log)
        endpoint = _endpoint(order, container, log)
        wait_until_ready(container, endpoint.http, order.names, follower, log, order.serving.ready_timeout_s)
    return endpoint


def _endpoint(order: Order, container: "Container", log: Path) -> Endpoint:
    ports, image = published(container), order.image
    host = _reach(order.daemon, order.serving.container.publish)
    host = f"[{host}]" if ":" in host else host
    return Endpoint(
        http=f"{host}:{ports[HTTP]}",
        grpc=f"{host}:{ports[GRPC]}",
        metrics=f"{host}:{ports[METRICS]}",
        kind="docker",
        description=_description(order),
        log=log,
        container=container.name,
        has_stand_ins=image.has_stand_ins,
        runtimes=image.runtimes,
    )


def _description(order: Order) -> str:
    limits = order.serving.container.limits
    held_to = f" ({', '.join(limits)})" if limits else ""
    return f"Triton in a container of {order.image.name}{held_to}"


def _reach(daemon: Daemon, publish: str) -> str:
    """Return the address at which what is published on `publish` is reached from here."""
    if publish in _ANY:
        return daemon.host
    if publish in LOOPBACK and daemon.host not in LOOPBACK:
        raise UsageError(
            f"the Docker daemon is on {daemon.host}, whose {publish} is not reached from here",
            fix="name an address of that machine on which the ports may be published: --publish ADDRESS",
        )
    return publish


def _log(serving: Serving, container: "Container", say: Say) -> Path:
    try:
        folder = log_folder(serving.log_dir or places.logs(serving.repository), say)
    except OSError as error:
        raise ServerError(
            f"the container's log cannot be kept: {error.strerror}: {error.filename}", fix="free some space"
        ) from error
    return folder / f"triton-{time.strftime('%Y%m%d-%H%M%S')}-{container.name}.log"


def end(daemon: Daemon, container: "Container", *, drains: bool) -> None:
    """End a container and remove it.

    Raises:
        ServerError: the daemon does not do it.
    """
    try:
        with said_plainly("removing the container", daemon.address):
            if drains:
                with suppress(docker.errors.NotFound):  # somebody has removed it
                    container.stop(timeout=_DRAIN_S)
            remove(container)
    except TrbError as error:
        raise ServerError(
            f"{error.what}; the container {container.name} may be left", fix="`trb doctor --clean` removes it"
        ) from error
