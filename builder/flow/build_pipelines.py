"""The pipelines of a build, once their steps are in the repository."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from builder import repository, wiring
from builder.errors import RepositoryError, SpecError, TrbError
from builder.flow import pool
from builder.flow.merging import merged_names
from builder.flow.parts import Parts, find_parts
from builder.flow.pipeline_worker import PipelineJob, work
from builder.flow.published import Rows, failed_row, publish_all, row, told
from builder.flow.worker import Built
from builder.loading.fingerprint import holds, pipeline_sha256
from builder.spec.pipeline import Wired
from builder.spec.project import Backend, Pipeline, ReadProject


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pipelines to build."""

    pipelines: Mapping[str, Pipeline]
    """Each after those that are steps of it."""
    rows: Mapping[str, Rows]
    """What became of the models."""
    jobs: int
    force: bool


def build_pipelines(read: ReadProject, wanted: Wanted, step: pool.Step) -> dict[str, Rows]:
    """Bring every wanted pipeline up to date with its steps; one that fails does not take the others along."""
    rows: dict[str, Rows] = {}
    while len(rows) < len(wanted.pipelines):
        failed = _failed_names({**wanted.rows, **rows})
        ready = dict(_ready(wanted, rows))
        orders = []
        for name, pipeline in ready.items():
            order = _fresh_or_order(read, wanted, name, pipeline, failed)
            if isinstance(order, PipelineJob):
                orders.append(order)
            else:
                rows[name] = order
        rows |= _build(read, orders, wanted.jobs, step) if orders else {}
    return rows


def _ready(wanted: Wanted, done: Mapping[str, Rows]) -> Iterator[tuple[str, Pipeline]]:
    """Yield the pipelines whose own steps are no pipelines that are still to be built."""
    for name, pipeline in wanted.pipelines.items():
        waits = {step.model for step in pipeline.steps} & wanted.pipelines.keys() - done.keys()
        if name not in done and not waits:
            yield name, pipeline


def _failed_names(rows: Mapping[str, Rows]) -> frozenset[str]:
    return frozenset(one.triton_name for built in rows.values() for one in built if one.status == "failed")


def _fresh_or_order(
    read: ReadProject, wanted: Wanted, name: str, pipeline: Pipeline, failed: frozenset[str]
) -> PipelineJob | Rows:
    """Return what to build, or the rows of a pipeline that needs no build or cannot have one."""
    broken = [step.model for step in pipeline.steps if step.model in failed]
    if broken:
        error: TrbError = RepositoryError(f"its step {broken[0]} was not built", fix="correct that first")
        return (failed_row(name, name, Backend.ENSEMBLE, error),)
    try:
        parts = find_parts(read, pipeline)
        wired = _wired(name, pipeline, parts)
    except (RepositoryError, SpecError) as caught:
        return (failed_row(name, name, Backend.ENSEMBLE, caught),)
    fresh = () if wanted.force else _fresh(read, name, pipeline, parts)
    return fresh or PipelineJob(
        name=name,
        pipeline=pipeline,
        wired=wired,
        parts=parts,
        folder=read.folder,
        repository=read.repository,
        triton=read.project.triton,
        log=repository.logs(read.repository) / f"build-{name}.log",
        threads=pool.threads_of(wanted.jobs),
    )


def _wired(name: str, pipeline: Pipeline, parts: Parts) -> Wired:
    """Return the pipeline, whose models are all known now.

    Raises:
        SpecError: its tensors do not meet; all mistakes are listed, with their places.
    """
    found = wiring.mistakes(pipeline, parts.known)
    if found:
        lines = [f"  {'.'.join(('pipelines', name, *map(str, one.path)))}: {one.message}" for one in found]
        raise SpecError("\n".join(["its steps do not meet:", *lines]), fix="correct them in trb.yaml")
    wired = wiring.wire(name, pipeline, parts.known)
    sizes = wiring.as_model(wired, parts.models, pipeline).dims
    for axis in wired.signature.axes():
        if axis not in sizes:
            raise SpecError(
                f"nobody says which sizes of `{axis}` clients send: the step that reads it only lies in the repository",
                fix="give that model an entry in trb.yaml, its file as `source`, with `dims`",
            )
    return wired


def _fresh(read: ReadProject, name: str, pipeline: Pipeline, parts: Parts) -> Rows:
    """Return the rows of a pipeline that is as its last build left it, of the same versions; nothing otherwise."""
    state = repository.load_state(read.repository, name)
    entry = pipeline_sha256(name, pipeline, parts.versions, read.project.triton, parts.models)
    if state is None or not repository.is_intact(read.repository, state):
        return ()
    if not holds(state.fingerprint, entry, read.folder):
        return ()
    names = [name, *(left.triton_name for left in state.versions if left.triton_name != name)]
    return tuple(row(name, repository.latest(read.repository, one), "fresh", 0.0, ()) for one in names)


def _build(read: ReadProject, orders: list[PipelineJob], jobs: int, step: pool.Step) -> dict[str, Rows]:
    rows = {}
    threads = pool.threads_of(jobs)
    for job, outcome in pool.run(orders, work, workers=min(jobs, len(orders)), threads=threads, step=step):
        pool.show_log(job)
        if isinstance(outcome, Built):
            built = replace(outcome, notes=(*outcome.notes, *_left_over(read, job.name, outcome)))
            allowed = job.pipeline.allow_new_signature
            names = {Backend.ENSEMBLE: job.name}
            rows[job.name] = publish_all(read, job.name, names, built, allow_new_signature=allowed)
            step(job.name, told(rows[job.name]))
        else:
            rows[job.name] = (failed_row(job.name, job.name, Backend.ENSEMBLE, outcome),)
            step(job.name, "failed")
    return rows


def _left_over(read: ReadProject, name: str, built: Built) -> Iterator[str]:
    """Yield the models that steps were merged into by an earlier build, and are in use no more."""
    used = {staged.triton_name for staged in built.staged}
    there = repository.models(read.repository)
    ours = merged_names(name, len(there))
    for old in there:
        if old in ours and old not in used:
            yield f"{old} is no part of {name} any more, and a server goes on loading it: remove its folder"
