"""What the embedded server is asked to serve, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from builder.spec.releases import Release

Control = Literal["none", "poll", "explicit"]

READY_TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A repository, and how the embedded server serves it on 127.0.0.1."""

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
    log_dir: Path | None = None
    """Where the server's log is kept; None: `.trb/<repository name>/logs` beside the repository."""
