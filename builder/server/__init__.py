"""A live Triton behind one `Endpoint`, whichever door it comes through."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from builder.errors import UsageError
from builder.server.endpoint import Endpoint
from builder.spec.releases import Release

__all__ = ["Endpoint", "open_server"]


def open_server(
    door: str,
    repository: Path,
    *,
    release: Release,
    models: Sequence[str] | None = None,
    grpc_url: str | None = None,
    target_torch: bool = False,
    ready_timeout_s: float | None = None,
    log_dir: Path | None = None,
    on_step: Callable[[str], None] | None = None,
) -> AbstractContextManager[Endpoint]:
    """Yield a live Triton that serves `models` of `repository`; one of ours ends with the block.

    Args:
        door: `embedded`, or the URL of a server that runs.
        repository: what the embedded server serves; a server of the user's has its own.
        release: the target release.
        models: the models that must be served; None: all of the repository.
        grpc_url: the gRPC address of a server of the user's, where it is not the next port.
        target_torch: the embedded server runs TorchScript models in the release's own torch.
        ready_timeout_s: seconds the embedded server's models may take to load.
        log_dir: where its log is kept; None: `.trb/<repository name>/logs` beside the repository.
        on_step: told, in a few words, what is being done.

    Raises:
        UsageError: an option that this door does not have.
        MissingTool: this machine cannot run the embedded server.
        ServerError: it does not start, does not answer, or will not load a model.
    """
    if door != "embedded":
        if target_torch:
            raise UsageError(
                "--target-torch is for the embedded server", fix="leave out --target-torch or --server"
            )
        from builder.server import url

        return url.at(door, grpc_url)
    from builder.server import embedded

    return embedded.running(
        repository,
        release=release,
        log_dir=log_dir or embedded.side_folder(repository) / "logs",
        models=models,
        ready_timeout_s=ready_timeout_s or embedded.READY_TIMEOUT_S,
        target_torch=target_torch,
        on_step=on_step,
    )
