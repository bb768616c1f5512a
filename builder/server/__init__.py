"""A live Triton behind one `Endpoint`, whichever door it comes through."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from builder.errors import UsageError
from builder.server.endpoint import Endpoint
from builder.server.serving import Serving

__all__ = ["Endpoint", "Serving", "open_server"]


def open_server(
    door: str,
    serving: Serving,
    *,
    grpc_url: str | None = None,
    on_step: Callable[[str], None] | None = None,
) -> AbstractContextManager[Endpoint]:
    """Yield a live Triton; one of ours ends with the block.

    Args:
        door: `embedded`, or the URL of a server that runs.
        serving: what the embedded server serves; a server of the user's has its own repository.
        grpc_url: the gRPC address of a server of the user's, where it is not the next port.
        on_step: told, in a few words, what is being done.

    Raises:
        UsageError: an option that this door does not have.
        MissingTool: this machine cannot run the embedded server.
        ServerError: it does not start, does not answer, or will not load a model.
    """
    if door != "embedded":
        if serving.target_torch:
            raise UsageError(
                "--target-torch is for the embedded server", fix="leave out --target-torch or --server"
            )
        from builder.server import url

        return url.at(door, grpc_url)
    from builder.server import embedded

    return embedded.running(serving, on_step=on_step)
