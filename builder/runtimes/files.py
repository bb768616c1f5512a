"""Which runtime opens which file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from builder.runtimes.onnx_file import open_onnx
from builder.runtimes.python_file import open_python
from builder.runtimes.torchscript_file import open_torchscript
from builder.spec.loaded import Runner
from builder.spec.project import Backend
from builder.spec.tensors import Signature


def _onnx(path: Path, _: Signature, threads: int) -> Runner:
    return open_onnx(path, threads=threads)  # the file itself knows its names


def _torchscript(path: Path, signature: Signature, threads: int) -> Runner:
    return open_torchscript(path, signature, threads=threads)


def _python(path: Path, _: Signature, threads: int) -> Runner:  # noqa: ARG001 - the function's own affair
    return open_python(path)


_OPENERS: Final[Mapping[Backend, Callable[[Path, Signature, int], Runner]]] = {
    Backend.ONNX: _onnx,
    Backend.TORCHSCRIPT: _torchscript,
    Backend.PYTHON: _python,
}


def open_file(backend: Backend, path: Path, signature: Signature, *, threads: int) -> Runner:
    """Open the exported file at `path` in the runtime of `backend`, as that Triton backend would.

    Raises:
        ExportError: the runtime refuses the file.
    """
    return _OPENERS[backend](path, signature, threads)
