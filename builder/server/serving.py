"""What a server of ours is asked to serve, and how."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from builder.spec.releases import Release

Control = Literal["none", "poll", "explicit"]

READY_TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How a container is run; the defaults fit a laptop and the official image."""

    image: str | None = None
    """None: the official image of the release."""
    gpus: str | None = None
    """`all`, a number of GPUs, or `device=0,1`; None: no GPU."""
    cpus: float | None = None
    """Cores that the container may use; None: all."""
    memory_bytes: int | None = None
    """Memory that it may use; None: all. Shared memory counts."""
    shm_bytes: int | None = None
    """Size of its /dev/shm; None: computed from the models."""
    copies: bool = False
    """Copy the models into the container, also where the daemon could mount them."""
    publish: str = "127.0.0.1"
    """Address of the daemon's machine on which the ports are published."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What it is held to, in words for a report."""
        cores = f"{self.cpus:g} core{'' if self.cpus == 1 else 's'}" if self.cpus else None
        memory = f"{self.memory_bytes / (1 << 20):,.0f} MiB" if self.memory_bytes else None
        return tuple(filter(None, (cores, memory, self.gpus and f"GPUs {self.gpus}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A repository, and how a server of ours serves it."""

    repository: Path
    release: Release
    """The target; its ONNX Runtime runs the ONNX models where this Python has a wheel of it."""
    models: Sequence[str] | None = None
    """Only these; None: all. Every one must load."""
    control: Control = "none"
    """`poll` notices changes of the repository within a second or two; `explicit` takes load calls."""
    http_port: int | None = None
    """None: any free port."""
    grpc_port: int | None = None
    """None: any free port."""
    ready_timeout_s: float = READY_TIMEOUT_S
    """How long the models may take to load."""
    target_torch: bool = False
    """Run TorchScript models in the release's own torch, a large download."""
    container: Container = field(default_factory=Container)
    """How a container is run; of no matter to the embedded server."""
    drains: bool = False
    """Whether a container answers at its end what is in flight; the embedded server does always."""
    log_dir: Path | None = None
    """Where the server's log is kept; None: `.trb/<repository name>/logs` beside the repository."""
