"""Where a live Triton answers, and what is known about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

RUNTIME_VERSIONS_VARIABLE: Final = "TRB_RUNTIME_VERSIONS_DIR"
"""Names the folder where each stand-in backend writes `<backend>.json`, the versions it really runs."""

TARGET_RELEASE_VARIABLE: Final = "TRB_TRITON_RELEASE"
"""Names the release whose limits the stand-ins enforce, such as 24.10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A live Triton; the same face whoever started it."""

    http: str
    """`host:port`, without a scheme."""
    grpc: str
    """`host:port`, without a scheme."""
    metrics: str | None = None
    """`host:port` of the Prometheus text; None: not known."""
    kind: Literal["embedded", "docker", "url"]
    description: str
    """For people and reports, such as `embedded Triton 2.51.0`."""
    log: Path | None = None
    """The server's log; None for a server that is not ours."""
    versions_dir: Path | None = None
    """Where the stand-ins write the versions that they run; None for a server that is not ours."""
    pid: int | None = None
    """The server's process; None for a server in a container, or one that is not ours."""
    container: str | None = None
    """The name of the server's container; None for a server in none of ours."""
    has_stand_ins: bool = False
    """Whether our stand-ins answer for Triton's own ONNX Runtime and PyTorch backends."""
    runtimes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Versions by package, by backend, as far as they are known before a model loads."""

    def runtime(self, backend: str) -> Mapping[str, str]:
        """Return versions by package that `backend` (onnxruntime, pytorch) really runs; empty: not known.

        On this machine a stand-in writes them when its first model loads, so before that they are not known either.
        """
        if self.versions_dir is None:
            return self.runtimes.get(backend, {})
        try:
            text = (self.versions_dir / f"{backend}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return {str(name): str(version) for name, version in json.loads(text).items()}
