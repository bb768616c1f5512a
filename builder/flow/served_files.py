"""The files of the repository, run in this process as Triton would run them."""

from pathlib import Path

from builder import repository
from builder.errors import SourceError
from builder.flow.note import read_note
from builder.flow.parts import part_of
from builder.spec.loaded import Runner
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend
from builder.spec.tensors import unique
from builder.wiring import composed


def open_served(root: Path, name: str, *, threads: int) -> Runner:
    """Return what runs the newest version of a model; of a pipeline, the files of its steps.

    Args:
        root: the repository.
        name: the model's name in it.
        threads: that a runtime may use.

    Raises:
        RepositoryError: it is not there.
        SourceError: it is of a backend that none of our runtimes stands for.
        ExportError: its runtime refuses its file.
    """
    from builder.runtimes import open_file

    part = part_of(root, name, None)
    folder = part.published.folder
    if part.known.backend not in {backend.triton for backend in Backend}:
        raise SourceError(
            f"{name} is of the backend {part.known.backend}, which runs in a server alone: nothing says what the "
            "pipeline should answer",
            fix="name a model of the backend onnxruntime, pytorch or python, or one that trb.yaml has",
        )
    backend = Backend.of_triton(part.known.backend)
    if backend is not Backend.ENSEMBLE:
        return open_file(backend, folder / backend.filename, part.signature, threads=threads)
    wired = read_note(folder).served
    return composed(
        wired, {step.model: open_served(root, step.model, threads=threads) for step in wired.steps}
    )


def backends(root: Path, wired: Wired) -> tuple[Backend, ...]:
    """Return the backends of all models that a server runs for a pipeline, each once."""
    return unique(backend for step in wired.steps for backend in _backends(root, step))


def _backends(root: Path, step: WiredStep) -> tuple[Backend, ...]:
    backend = Backend.of_triton(step.backend)
    if backend is not Backend.ENSEMBLE:
        return (backend,)
    return backends(root, read_note(repository.latest(root, step.model).folder).served)
