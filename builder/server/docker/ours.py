"""A container that is ours: made, started, watched, and removed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker.errors
from docker.types import Ulimit

from builder.errors import ServerError, TrbError, UsageError
from builder.server.docker.command import EXIT_TIMEOUT_S, GRPC, HTTP, METRICS
from builder.server.docker.container import ULIMITS, Order, create, fill, published, remove, start
from builder.server.docker.daemon import LOOPBACK, Daemon
from builder.server.docker.failures import RAISED, said_plainly
from builder.server.docker.log import Follower
from builder.server.docker.ready import ended, wait_until_ready
from builder.server.docker.refused import UlimitsRefused
from builder.server.docker.signals import Signals
from builder.server.endpoint import Endpoint
from builder.server.logs import log_folder
from builder.server.serving import Serving
from builder.server.settled import STARTING_AGAIN, STARTS, Aborted, Ended
from builder.spec import places

if TYPE_CHECKING:
    from docker.models.containers import Container

_DRAIN_S: Final = EXIT_TIMEOUT_S + 4
_NOTICED_S: Final = 2.0
"""A server's ports close before the daemon knows that it has ended."""
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - only where a person asks for it

Say = Callable[[str], None]


class Ours:
    """The container that is ours to remove from its making on, and the log of what it says."""

    def __init__(self, order: Order, signals: Signals, say: Say) -> None:
        self._order = order
        self._signals = signals
        self._say = say
        self._container: Container | None = None
        self._follower: Follower | None = None
        self._log: Path | None = None

    def begun(self) -> Endpoint:
        """Make it, start it and wait until it serves; again where Triton aborts while it loads, twice at most."""
        for left in reversed(range(STARTS)):
            try:
                return self._begin()
            except Aborted:
                if not left:
                    raise
                self._say(STARTING_AGAIN)
        raise AssertionError("the last start returns or raises")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise why it has ended, where it has, in place of what failed because nobody answers any more."""
        try:
            yield
        except Ended:
            raise
        except ServerError as error:
            if why := self._why_ended():
                raise why from error
            raise

    def let_go(self) -> None:
        """Leave it where it is: from here on it is not ours to remove."""
        self._container = None

    def end(self, *, drains: bool) -> None:
        """End it and remove it, where there is one; signals are to be held meanwhile."""
        if self._container is not None:
            end(self._order.daemon, self._container, drains=drains)
        self._container, self._follower = None, None

    def _why_ended(self) -> ServerError | None:
        """Return why it has ended; None: it runs, there is none, or the daemon does not tell."""
        if self._container is None or self._follower is None or self._log is None:
            return None
        self._follower.finish(_NOTICED_S)
        with suppress(*RAISED):
            self._container.reload()
            if self._container.status in ("exited", "dead"):
                return ended(self._container, self._follower, self._log)
        return None

    def _begin(self) -> Endpoint:
        try:
            container = self._set_off(ULIMITS)
        except UlimitsRefused:  # a rootless daemon, or one in a sandbox
            self._say("the Docker daemon may not raise limits: the container gets the usual ones")
            container = self._set_off(())
        self._log = _log(self._order.serving, container, self._say)
        self._follower = Follower(container, self._log)
        with self.explained():
            return _when_ready(self._order, container, self._follower, self._log)

    def _set_off(self, ulimits: Sequence[Ulimit]) -> "Container":
        with self._signals.held():  # once it is there, it is ours to remove
            self.end(drains=False)
            container = self._container = create(self._order, ulimits)
        fill(self._order, container, self._say)
        start(self._order, container)
        return container


def _when_ready(order: Order, container: "Container", follower: Follower, log: Path) -> Endpoint:
    with said_plainly("watching the container", order.daemon.address):
        if container.status != "running":
            raise ended(container, follower, log)
        endpoint = _endpoint(order, container, log)
        wait_until_ready(container, endpoint.http, order.names, follower, log, order.serving.ready_timeout_s)
    return endpoint


def _endpoint(order: Order, container: "Container", log: Path) -> Endpoint:
    ports, image = published(container), order.image
    host = reach(order.daemon, order.serving.container.publish)
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


def reach(daemon: Daemon, publish: str) -> str:
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
