"""Which kind of source opens how."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from builder.loading.from_callable import open_callable
from builder.loading.from_onnx import open_onnx_file
from builder.loading.from_program import open_program
from builder.loading.from_python import open_python
from builder.loading.from_torchscript import open_torchscript
from builder.loading.opened import Opened
from builder.spec.loaded import Feed
from builder.spec.project import Backend, Model
from builder.spec.releases import Release

_KINDS: Final[Mapping[str, Callable[[Model, Path, Feed | None], Opened]]] = {
    "": open_callable,
    ".pt": open_torchscript,
    ".pt2": open_program,
    ".onnx": open_onnx_file,
}


def open_source(model: Model, folder: Path, release: Release, samples: Feed | None = None) -> Opened:
    """Open the source of `model`, whatever it is, and run it once where that is needed; on `samples`, where asked.

    `release` tells for which Python a function's packages are looked up.

    Raises:
        SourceError: it cannot be opened, or does not take the inputs of trb.yaml.
    """
    if Backend.PYTHON in model.backend:
        return open_python(model, folder, release)
    suffix = "" if ":" in model.source else Path(model.source).suffix
    return _KINDS[suffix](model, folder, samples)
