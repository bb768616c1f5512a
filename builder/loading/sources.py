"""Which kind of source opens how."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from builder.loading.from_callable import open_callable
from builder.loading.from_onnx import open_onnx_file
from builder.loading.from_program import open_program
from builder.loading.from_torchscript import open_torchscript
from builder.loading.opened import Opened
from builder.spec.loaded import Feed
from builder.spec.project import Model

_KINDS: Final[Mapping[str, Callable[[Model, Path, Feed | None], Opened]]] = {
    "": open_callable,
    ".pt": open_torchscript,
    ".pt2": open_program,
    ".onnx": open_onnx_file,
}


def open_source(model: Model, folder: Path, samples: Feed | None = None) -> Opened:
    """Open the source of `model`, whatever it is, and run it once where that is needed; on `samples`, where asked.

    Raises:
        SourceError: it cannot be opened, or does not take the inputs of trb.yaml.
    """
    suffix = "" if ":" in model.source else Path(model.source).suffix
    return _KINDS[suffix](model, folder, samples)
