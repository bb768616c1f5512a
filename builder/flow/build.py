"""`trb build`: what is not fresh is built in processes of its own, and published here, one atomic step a model."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from builder import readspec, repository
from builder.errors import TrbError
from builder.flow import pool
from builder.flow.select import select
from builder.flow.worker import Built, Job, work
from builder.loading.fingerprint import still_holds
from builder.repository import Published
from builder.spec.project import Backend, Model, ReadProject, triton_names
from builder.spec.results import BuildReport, BuiltModel

Rows = tuple[BuiltModel, ...]
_log = logging.getLogger("trb.build")
Status = Literal["built", "unchanged", "fresh", "failed"]


def build(spec_file: Path, names: Sequence[str], *, jobs: int, force: bool, step: pool.Step) -> BuildReport:
    """Bring the repository up to date with the spec.

    Args:
        spec_file: trb.yaml.
        names: the models to build; all when empty.
        jobs: how many models are built at once.
        force: build although nothing changed.
        step: told what is going on.

    Raises:
        SpecError: the spec has mistakes.
        RepositoryError: the repository is locked or cannot be written.
    """
    started = time.monotonic()
    read = readspec.read(spec_file)
    chosen = select(read.project, names)
    with repository.lock(read.repository):
        repository.recover(read.repository)
        rows = {} if force else _fresh(read, chosen)
        stale = {name: model for name, model in chosen.items() if name not in rows}
        try:
            rows |= _build(read, stale, jobs, step) if stale else {}
        finally:
            repository.recover(read.repository)
    return BuildReport(
        models=tuple(row for name in chosen for row in rows[name]),
        repository=str(read.repository),
        seconds=time.monotonic() - started,
    )


def _fresh(read: ReadProject, chosen: Mapping[str, Model]) -> dict[str, Rows]:
    """Return the rows of the models that need no build."""
    rows: dict[str, Rows] = {}
    for name, model in chosen.items():
        state = repository.load_state(read.repository, name)
        if (
            state is not None
            and repository.is_intact(read.repository, state)
            and still_holds(
                state.fingerprint, name=name, model=model, triton=read.project.triton, folder=read.folder
            )
        ):
            rows[name] = tuple(
                _row(name, repository.latest(read.repository, t), "fresh", 0.0, ())
                for t in triton_names(name, model).values()
            )
    return rows


def _build(read: ReadProject, stale: Mapping[str, Model], jobs: int, step: pool.Step) -> dict[str, Rows]:
    workers = min(jobs, len(stale))
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    rows = {}
    orders = [_order(read, name, model, threads) for name, model in stale.items()]
    for job, outcome in pool.run(orders, work, workers=workers, threads=threads, step=step):
        _show_log(job)
        if isinstance(outcome, Built):
            rows[job.name] = _published(read, job, outcome)
            step(job.name, _told(rows[job.name]))
        else:
            rows[job.name] = _failed(job, outcome)
            step(job.name, "failed")
    return rows


def _show_log(job: Job) -> None:
    if _log.isEnabledFor(logging.INFO) and job.log.exists():
        _log.info("%s said, while it was built:\n%s", job.name, job.log.read_text(errors="replace"))


def _order(read: ReadProject, name: str, model: Model, threads: int) -> Job:
    return Job(
        name=name,
        model=model,
        folder=read.folder,
        triton=read.project.triton,
        stages={
            backend: (triton_name, repository.stage(read.repository, triton_name))
            for backend, triton_name in triton_names(name, model).items()
        },
        log=repository.logs(read.repository) / f"build-{name}.log",
        threads=threads,
    )


def _published(read: ReadProject, job: Job, built: Built) -> Rows:
    """Publish all versions of one model, and note the build only when all are."""
    rows = {backend: _failed_row(job, backend, error) for backend, error in built.failures.items()}
    published: list[Published] = []
    for staged in built.staged:
        strange = repository.strangeness(read.repository, staged.triton_name)
        try:
            one = repository.publish(
                read.repository,
                staged.triton_name,
                staged.folder,
                staged.record,
                allow_new_signature=job.model.allow_new_signature,
            )
        except TrbError as error:  # one version's failure: the others are published all the same
            rows[staged.backend] = _failed_row(job, staged.backend, error)
            continue
        published.append(one)
        status: Status = "built" if one.changed else "unchanged"
        notes = dict.fromkeys(filter(None, (*built.notes, *one.record.notes, strange)))
        rows[staged.backend] = _row(job.name, one, status, staged.seconds, tuple(notes))
    if len(published) == len(job.stages):
        repository.save_state(read.repository, job.name, built.fingerprint, tuple(published))
    return tuple(rows[backend] for backend in job.stages)


def _failed(job: Job, error: TrbError) -> Rows:
    """Return a failed row for every version the model should have had."""
    return tuple(_failed_row(job, backend, error) for backend in job.stages)


def _failed_row(job: Job, backend: Backend, error: TrbError) -> BuiltModel:
    return BuiltModel(
        name=job.name,
        triton_name=job.stages[backend][0],
        backend=backend,
        status="failed",
        error=error.what,
        fix=error.fix,
        error_code=error.exit_code,
    )


def _row(name: str, one: Published, status: Status, seconds: float, notes: tuple[str, ...]) -> BuiltModel:
    record = one.record
    gaps = [gap for comparison in record.offline_parity.comparisons for gap in comparison.outputs]
    return BuiltModel(
        name=name,
        triton_name=one.triton_name,
        backend=Backend.of_triton(record.backend),
        status=status,
        version=one.version,
        exporter=record.exporter,
        opset=record.opset,
        max_batch_size=record.batch.max_batch_size,
        batch_reason=record.batch.reason,
        row_gap=record.batch.row_gap,
        parity_worst=max((gap.max_abs for gap in gaps), default=None),
        size_bytes=sum(path.stat().st_size for path in one.folder.rglob("*") if path.is_file()),
        seconds=seconds,
        notes=notes,
        path=str(one.folder),
    )


def _told(rows: Rows) -> str:
    """Return what became of a model, in the words of one whose name stands before them."""
    return ", ".join(
        f"{'' if row.triton_name == row.name else f'{row.triton_name} '}"
        f"{'' if row.version is None else f'version {row.version} '}{row.status}"
        for row in rows
    )
