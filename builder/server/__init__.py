"""A live Triton behind one `Endpoint`, whichever door it comes through."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from builder.errors import UsageError
from builder.server.endpoint import Endpoint
from builder.server.serving import Container, Serving

__all__ = ["Container", "Endpoint", "Serving", "open_server", "require_of_door"]


def open_server(
    door: str,
    serving: Serving,
    *,
    grpc_url: str | None = None,
    on_step: Callable[[str], None] | None = None,
) -> AbstractContextManager[Endpoint]:
    """Yield a live Triton; one of ours ends with the block.

    Args:
        door: `embedded`, `docker`, or the URL of a server that runs.
        serving: what a server of ours serves; a server of the user's has its own repository.
        grpc_url: the gRPC address of a server of the user's, where it is not the next port.
        on_step: told, in a few words, what is being done.

    Raises:
        UsageError: an option that this door does not have.
        MissingTool: this machine cannot run the embedded server, or there is no Docker daemon.
        ServerError: it does not start, does not answer, or will not load a model.
    """
    require_of_door(door, serving)
    if door == "embedded":
        from builder.server import embedded

        return embedded.running(serving, on_step=on_step)
    if door == "docker":
        from builder.server import docker

        return docker.running(serving, on_step=on_step)
    from builder.server import url

    return url.at(door, grpc_url)


def require_of_door(door: str, serving: Serving) -> None:
    """Check that no option is for another door.

    Raises:
        UsageError: one is.
    """
    if serving.target_torch and door != "embedded":
        raise UsageError(
            "--target-torch is for the embedded server", fix="leave out --target-torch or --server"
        )
    if serving.container != Container() and door != "docker":
        raise UsageError(
            "--image, --gpus, --cpus, --memory, --shm-size, --copy and --publish are for a container",
            fix="add --server docker, or leave them out; --against docker has --against-image and --against-gpus",
        )
