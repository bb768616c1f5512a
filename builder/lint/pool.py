"""Models looked at in several processes, so that a file that crashes or holds up its reader costs one finding."""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from builder.lint.folder import CONFIG
from builder.lint.model import ModelLint, lint_model
from builder.lint.target import Target
from builder.spec.findings import Finding, Severity

_PER_TASK: Final = 8
"""Models that a process is handed at once."""
MOST_S = 60.0
"""Seconds that one model may take; the process that reads it is ended then."""
_FORK: Final = multiprocessing.get_context("fork")
"""A fork shares what is imported once here; nothing has started a thread yet."""


def lint_models(
    paths: Sequence[Path], target: Target, *, texts: Mapping[Path, str], jobs: int | None = None
) -> Iterator[ModelLint]:
    """Yield what is to be said of each model, in the order of `paths`; of a config in `texts`, as it stands there."""
    workers = min(jobs or _cores(), -(-len(paths) // _PER_TASK))
    models = [_Model(path, texts.get(path / CONFIG)) for path in paths]
    tasks = [models[start : start + _PER_TASK] for start in range(0, len(models), _PER_TASK)]
    while tasks:
        done = 0
        for found in _until_broken(tasks, target, max(workers, 1)):
            yield from found
            done += 1
        # One model ended its process, and the pool with it: those of that task alone, the others in a new pool.
        for model in tasks[done] if done < len(tasks) else ():
            yield _alone(model, target)
        tasks = tasks[done + 1 :]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Model(NamedTuple):
    path: Path
    text: str | None


def _until_broken(
    tasks: Sequence[Sequence[_Model]], target: Target, workers: int
) -> Iterator[list[ModelLint]]:
    """Yield what is found in each task, up to the first of which a process ended."""
    with ProcessPoolExecutor(workers, mp_context=_FORK, initializer=_import) as pool:
        futures = [pool.submit(_several, task, target) for task in tasks]
        for future in futures:
            try:
                yield future.result()
            except BrokenProcessPool:
                return


def _import() -> None:
    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401


def _several(models: Sequence[_Model], target: Target) -> list[ModelLint]:
    return [_timed(model, target) for model in models]


def _timed(model: _Model, target: Target) -> ModelLint:
    # No handler: what holds a process up may be in a library that never returns to Python.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, MOST_S)
    try:
        return lint_model(model.path, target, model.text)
    except Exception as error:  # noqa: BLE001 - a repository's content costs its own model, whatever is in it
        return ModelLint(name=model.path.name, findings=(_failed(model.path, error),), known=None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _alone(model: _Model, target: Target) -> ModelLint:
    """Return what is to be said of a model that may be the one that ended a process."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_answer, args=(theirs, model, target))
    process.start()
    theirs.close()
    try:
        answer = ours.recv()
    except EOFError:
        answer = None
    process.join()
    if isinstance(answer, ModelLint):
        return answer
    finding = _too_slow(model.path) if process.exitcode == -signal.SIGALRM else _crashed(model.path)
    return ModelLint(name=model.path.name, findings=(finding,), known=None)


def _answer(theirs: Connection, model: _Model, target: Target) -> None:
    theirs.send(_timed(model, target))


def _failed(path: Path, error: Exception) -> Finding:
    said = "".join(traceback.format_exception_only(error)).strip()
    return Finding(
        code="R112",
        severity=Severity.ERROR,
        model=path.name,
        path=str(path),
        message=f"reading this model failed in a way nobody foresaw, a bug in trb: {said}",
        fix="please report it with the model's config.pbtxt",
    )


def _crashed(path: Path) -> Finding:
    return _ended(
        path, "R112", "reading this model ended the process that read it", "made to crash their reader"
    )


def _too_slow(path: Path) -> Finding:
    return _ended(
        path, "R123", f"reading this model took more than {MOST_S:.0f} s", "made to keep their reader busy"
    )


def _ended(path: Path, code: str, message: str, made: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        model=path.name,
        path=str(path),
        message=message,
        fix=f"its files are damaged, or {made}: export it anew",
    )
