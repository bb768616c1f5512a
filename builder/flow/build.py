"""`trb build`: what is not fresh is built in processes of its own, and published here, one atomic step a model."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder import readspec, repository
from builder.errors import TrbError
from builder.flow import pool
from builder.flow.build_pipelines import Wanted, build_pipelines
from builder.flow.published import Rows, failed_row, publish_all, row, told
from builder.flow.select import select, with_steps
from builder.flow.worker import Built, Job, work
from builder.loading.fingerprint import still_holds
from builder.spec.project import Backend, Model, ReadProject, triton_names
from builder.spec.releases import release
from builder.spec.results import BuildReport


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
    chosen = with_steps(read.project, select(read.project, names))
    with repository.lock(read.repository):
        repository.recover(read.repository)
        rows = {} if force else _fresh(read, chosen.models)
        stale = {name: model for name, model in chosen.models.items() if name not in rows}
        try:
            rows |= _build(read, stale, jobs, step) if stale else {}
            wanted = Wanted(pipelines=chosen.pipelines, rows=rows, jobs=jobs, force=force)
            rows |= build_pipelines(read, wanted, step)
        finally:
            repository.recover(read.repository)
    return BuildReport(
        models=tuple(one for name in (*chosen.models, *chosen.pipelines) for one in rows[name]),
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
                row(name, repository.latest(read.repository, t), "fresh", 0.0, ())
                for t in triton_names(name, model).values()
            )
    return rows


def _build(read: ReadProject, stale: Mapping[str, Model], jobs: int, step: pool.Step) -> dict[str, Rows]:
    workers = min(jobs, len(stale))
    threads = pool.threads_of(workers)
    rows = {}
    orders = [_order(read, name, model, threads) for name, model in stale.items()]
    waiting: list[tuple[Job, Built]] = []
    for job, outcome in pool.run(orders, work, workers=workers, threads=threads, step=step):
        pool.show_log(job)
        if isinstance(outcome, Built) and Backend.PYTHON in job.stages and outcome.staged:
            waiting.append((job, outcome))
        elif isinstance(outcome, Built):
            rows[job.name] = _published(read, job, outcome)
            step(job.name, told(rows[job.name]))
        else:
            rows[job.name] = _failed(job, outcome)
            step(job.name, "failed")
    return rows | _tried(read, waiting, step)


def _tried(read: ReadProject, waiting: Sequence[tuple[Job, Built]], step: pool.Step) -> dict[str, Rows]:
    """Publish the Python functions that a live Triton loads; nothing else proves that they import there."""
    if not waiting:
        return {}
    from builder.flow.tried import refusals  # a server's client, of which a build of nothing has no use

    step(", ".join(job.name for job, _ in waiting), "loading in the embedded Triton")
    staged = [one for _, built in waiting for one in built.staged]
    refused = refusals(staged, release(read.project.triton), logs=repository.logs(read.repository))
    rows = {}
    for job, built in waiting:
        error = next((refused[one.triton_name] for one in built.staged if one.triton_name in refused), None)
        rows[job.name] = _published(read, job, built) if error is None else _failed(job, error)
        step(job.name, told(rows[job.name]) if error is None else "failed")
    return rows


def _published(read: ReadProject, job: Job, built: Built) -> Rows:
    allowed = job.model.allow_new_signature
    return publish_all(read, job.name, _names(job), built, allow_new_signature=allowed)


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


def _failed(job: Job, error: TrbError) -> Rows:
    """Return a failed row for every version the model should have had."""
    return tuple(failed_row(job.name, name, backend, error) for backend, name in _names(job).items())


def _names(job: Job) -> Mapping[Backend, str]:
    return {backend: name for backend, (name, _) in job.stages.items()}
