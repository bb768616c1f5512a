"""Which module writes which format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from builder.export import to_onnx, to_python, to_torchscript
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import Release


class Export(Protocol):
    """Writes a model in one format."""

    def __call__(self, loaded: Loaded, *, into: Path, release: Release, log: Path | None) -> Artifact:
        """Write `loaded` into the folder `into`."""


_EXPORTS: Final[Mapping[Backend, Export]] = {
    Backend.ONNX: to_onnx.export,
    Backend.TORCHSCRIPT: to_torchscript.export,
    Backend.PYTHON: to_python.export,
}


def export(
    loaded: Loaded, backend: Backend, *, into: Path, release: Release, log: Path | None = None
) -> Artifact:
    """Write `loaded` for `backend` into the folder `into`; what comes back passed its format's checks.

    Args:
        loaded: the model.
        backend: the format.
        into: becomes the version folder; made when it is missing.
        release: the Triton release that must load the file.
        log: where the exporters' chatter is appended; None discards it.

    Raises:
        ExportError: `release` cannot carry the model, or no exporter made a file that is the model.
    """
    into.mkdir(parents=True, exist_ok=True)
    return _EXPORTS[backend](loaded, into=into, release=release, log=log)
