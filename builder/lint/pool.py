"""Models looked at in several processes, so that a file that crashes its reader costs one finding."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final, NamedTuple

from builder.lint.folder import CONFIG
from builder.lint.model import ModelLint, lint_model
from builder.lint.target import Target
from builder.spec.findings import Finding, Severity

_PER_TASK: Final = 8
"""Models that a process is handed at once."""


def lint_models(
    paths: Sequence[Path], target: Target, *, texts: Mapping[Path, str], jobs: int | None = None
) -> Iterator[ModelLint]:
    """Yield what is to be said of each model, in the order of `paths`; of a config in `texts`, as it stands there."""
    workers = min(jobs or len(os.sched_getaffinity(0)), -(-len(paths) // _PER_TASK))
    models = [_Model(path, texts.get(path / CONFIG)) for path in paths]
    tasks = [models[start : start + _PER_TASK] for start in range(0, len(models), _PER_TASK)]
    with _pool(max(workers, 1)) as pool:
        found = [pool.submit(_several, task, target) for task in tasks]
        for task, future in zip(tasks, found, strict=True):
            try:
                yield from future.result()
            except BrokenProcessPool:
                yield from (_one_by_one(model, target) for model in task)


class _Model(NamedTuple):
    path: Path
    text: str | None


def _pool(workers: int) -> ProcessPoolExecutor:
    # A fork shares what is imported once here; nothing has started a thread yet.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"), initializer=_import)


def _import() -> None:
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401


def _several(models: Sequence[_Model], target: Target) -> list[ModelLint]:
    return [lint_model(model.path, target, model.text) for model in models]


def _one_by_one(model: _Model, target: Target) -> ModelLint:
    """Return what is to be said of a model that may be the one that ended a process."""
    with _pool(1) as pool:
        try:
            return pool.submit(lint_model, model.path, target, model.text).result()
        except BrokenProcessPool:
            return ModelLint(name=model.path.name, findings=(_crashed(model.path),), known=None)


def _crashed(path: Path) -> Finding:
    return Finding(
        code="R112",
        severity=Severity.ERROR,
        model=path.name,
        path=str(path),
        message="reading this model ended the process that read it",
        fix="its files are damaged, or made to crash their reader: export it anew",
    )
