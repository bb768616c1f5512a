"""A server in a container over a repository: for the length of a `with`, or for longer."""

from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import UsageError
from builder.server.docker.container import AS_ASKED, Order, why_copied
from builder.server.docker.daemon import LOOPBACK, Daemon, connected
from builder.server.docker.gpus import gpus
from builder.server.docker.images import find_image, image_name
from builder.server.docker.ours import Ours, Say, reach
from builder.server.docker.signals import Signals, as_exceptions
from builder.server.endpoint import Endpoint
from builder.server.serving import Serving
from builder.server.wanted import require_free, wanted_models


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
    ours = Ours(order, signals, say)
    with signals.held():  # so that a second signal finds no gap before the container's removal
        try:
            with signals.let_through():
                endpoint = ours.begun()
                with ours.explained():
                    yield endpoint
                if stays:
                    ours.let_go()
        finally:
            ours.end(drains=serving.drains)


def _order(daemon: Daemon, serving: Serving, say: Say, *, detached: bool) -> Order:
    """Return what is to be made, after all that can be checked before an image is fetched."""
    names = wanted_models(serving)
    copied = why_copied(daemon, serving, names)
    if copied and serving.control == "poll":
        raise UsageError(
            f"--poll sees no change of a copy, and the models are copied: {copied}",
            fix=f"leave out --poll{' or --copy' if copied == AS_ASKED else ''}",
        )
    given = gpus(serving.container.gpus)
    reach(daemon, serving.container.publish)
    if daemon.host in LOOPBACK:
        require_free(serving)
    return Order(
        daemon=daemon,
        image=find_image(daemon, image_name(serving.container.image, serving.release), say),
        serving=serving,
        names=names,
        gpus=given,
        copies=bool(copied),
        detached=detached,
    )
