"""Where the live Triton comes from, as the command line says it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial

from builder.errors import UsageError
from builder.flow.live import Target
from builder.flow.packages import require_packages
from builder.server.endpoint import Endpoint
from builder.server.serving import READY_TIMEOUT_S, Container
from builder.spec.project import ReadProject
from builder.spec.releases import release
from builder.spec.tensors import unique

Step = Callable[[str, str], None]
"""`step(subject, what)`: tells what is going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A choice of server."""

    server: str = "embedded"
    """`embedded`, `docker`, or the URL of a server that runs."""
    grpc_url: str | None = None
    target_torch: bool = False
    ready_timeout_s: float | None = None
    container: Container = field(default_factory=Container)

    def other(self, *, server: str, grpc_url: str | None, image: str | None, gpus: str | None) -> "Door":
        """Return the choice of a second server: a container of it has the limits of the first one's.

        Raises:
            UsageError: an option of a container for what is none.
        """
        if server != "docker" and (image or gpus):
            raise UsageError(
                "--against-image and --against-gpus are for a container",
                fix="write --against docker, or leave them out",
            )
        container = replace(self.container, image=image or self.container.image, gpus=gpus)
        return Door(
            server=server,
            grpc_url=grpc_url,
            ready_timeout_s=self.ready_timeout_s,
            container=container if server == "docker" else Container(),
        )

    def open(
        self, read: ReadProject, found: Sequence[Target], step: Step
    ) -> AbstractContextManager[Endpoint]:
        """Yield a live Triton that serves `found`; one of ours ends with the block.

        Raises:
            MissingTool: this machine cannot run the embedded server, or there is no Docker daemon.
            ServerError: it does not start, does not answer, or will not load a model; or its image lacks what a Python
                model imports.
        """
        from builder.server import Serving, open_server, require_of_door

        serving = Serving(
            repository=read.repository,
            release=release(read.project.triton),
            models=unique(name for target in found for name in target.loads),
            target_torch=self.target_torch,
            ready_timeout_s=self.ready_timeout_s or READY_TIMEOUT_S,
            container=self.container,
        )
        require_of_door(self.server, serving)
        say = partial(step, "triton")
        if self.server == "docker":
            require_packages(serving, serving.models or (), say=say)
        return open_server(self.server, serving, grpc_url=self.grpc_url, on_step=say)
