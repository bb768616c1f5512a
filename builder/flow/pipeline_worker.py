"""One pipeline, from the versions of its steps to staged version folders, in a process of its own."""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from builder import repository, wiring
from builder.errors import ExportError
from builder.flow.linted import require_pipeline_served
from builder.flow.merging import Merged, Place, merge_groups
from builder.flow.parts import Parts
from builder.flow.pipeline_entry import entry
from builder.flow.served_files import open_served
from builder.flow.worker import Built, Say, Staged, require_parity, send
from builder.spec.artifact import BatchProof
from builder.spec.loaded import Loaded
from builder.spec.pipeline import PipelineNote, Wired
from builder.spec.plain import dump
from builder.spec.project import Backend, Pipeline
from builder.spec.record import VersionRecord
from builder.spec.releases import Release, release
from builder.spec.results import FusePick, Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineJob:
    """Which pipeline to build, and of what."""

    name: str
    pipeline: Pipeline
    wired: Wired
    parts: Parts
    folder: Path
    """The folder of trb.yaml."""
    repository: Path
    triton: str
    log: Path
    threads: int


def work(job: PipelineJob, channel: Connection) -> None:
    """Build `job` and send what came of it."""
    send(job, channel, _build)


def _build(job: PipelineJob, say: Say) -> Built:
    import torch

    from builder.loading.pipeline import load_pipeline

    started = time.monotonic()
    torch.set_num_threads(job.threads)
    target = release(job.triton)
    written = job.wired
    say("loading")
    made = entry(job.name, job.pipeline, written, job.parts, root=job.repository, threads=job.threads)
    loaded = load_pipeline(made, job.folder, target)
    form, pick, notes = _form(job, written, loaded, target, say)
    ensemble = _ensemble(job, form, loaded, target, say, started)
    return Built(
        staged=(*(one.staged for one in form.merged), ensemble),
        failures={},
        fingerprint=loaded.fingerprint,
        notes=(*loaded.notes, *notes),
        pick=pick,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A pipeline as it is to be served."""

    written: Wired
    served: Wired
    merged: tuple[Merged, ...]


def _form(
    job: PipelineJob, written: Wired, loaded: Loaded, target: Release, say: Say
) -> tuple[_Form, FusePick | None, tuple[str, ...]]:
    """Return the form that trb.yaml asks for; of two that are measured the faster, its figures, and what to say."""
    single = _Form(written=written, served=written, merged=())
    if job.pipeline.fuse is False:
        return single, None, ()
    try:
        served, merged = merge_groups(loaded, written, _place(job, target), say)
    except ExportError as error:
        if job.pipeline.fuse == "auto":
            return single, None, (f"not merged: {error.what}",)
        raise ExportError(error.what, fix=error.fix or "say `fuse: false` in the pipeline") from error
    fused = _Form(written=written, served=served, merged=merged)
    if job.pipeline.fuse is True or not merged:
        return fused, None, ()
    say("measuring merged and single steps")
    pick = _pick(job, fused, loaded, target)
    return (fused if pick.kept == "fused" else single), pick, (str(pick),)


def _pick(job: PipelineJob, fused: _Form, loaded: Loaded, target: Release) -> FusePick:
    from builder.flow.faster import faster

    return faster(
        loaded,
        {"fused": fused.served, "steps": fused.written},
        {one.staged.triton_name: one.staged.folder for one in fused.merged},
        root=job.repository,
        release=target,
        logs=job.log.parent,
    )


def _place(job: PipelineJob, target: Release) -> Place:
    return Place(
        parts=job.parts,
        folder=job.folder,
        repository=job.repository,
        target=target,
        threads=job.threads,
    )


def _ensemble(
    job: PipelineJob, form: _Form, loaded: Loaded, target: Release, say: Say, started: float
) -> Staged:
    from builder.config.ensemble import make_ensemble
    from builder.config.render import render

    served, merged = form.served, form.merged
    folder = repository.stage(job.repository, job.name)
    (folder / "version").mkdir()
    say(f"comparing the files of its steps with {loaded.reference_name}")
    parity = _parity(job, served, loaded, merged)
    require_parity(parity, job.name, loaded)
    say(f"writing {job.name}")
    note = PipelineNote(
        written=form.written,
        served=served,
        fused={one.staged.triton_name: tuple(step.name for step in one.group) for one in merged},
        versions=job.parts.versions,
    )
    (folder / "version" / Backend.ENSEMBLE.filename).write_text(dump(note), encoding="utf-8", newline="\n")
    config = make_ensemble(served)
    (folder / "config.pbtxt").write_text(render(config), encoding="utf-8", newline="\n")
    stages = {**{one.staged.triton_name: one.staged.folder for one in merged}, job.name: folder}
    require_pipeline_served(job.repository, stages, job.name, target)
    return Staged(
        backend=Backend.ENSEMBLE,
        triton_name=job.name,
        folder=folder,
        record=_record(job, served, loaded, parity, target),
        seconds=time.monotonic() - started,
    )


def _parity(job: PipelineJob, served: Wired, loaded: Loaded, merged: tuple[Merged, ...]) -> Hop:
    from builder.export import parity_of
    from builder.runtimes import open_file

    ours = {
        one.staged.triton_name: open_file(
            one.artifact.backend, one.artifact.path, one.artifact.signature, threads=job.threads
        )
        for one in merged
    }
    theirs = {
        step.model: open_served(job.repository, step.model, threads=job.threads)
        for step in served.steps
        if step.model not in ours
    }
    run = wiring.composed(served, {**ours, **theirs})
    return parity_of(loaded, run, served.signature, name="reference -> files")


def _record(job: PipelineJob, served: Wired, loaded: Loaded, parity: Hop, target: Release) -> VersionRecord:
    return VersionRecord(
        model=job.name,
        backend=Backend.ENSEMBLE.triton,
        triton=target.name,
        exporter="ensemble",
        signature=served.signature,
        batch=BatchProof(max_batch_size=served.max_batch_size, reason=_why(served), sizes=()),
        provenance=loaded.provenance,
        offline_parity=parity,
        notes=loaded.notes,
    )


def _why(served: Wired) -> str:
    alone = [step.name for step in served.steps if not step.max_batch_size]
    if alone:
        return f"{', '.join(alone)} does not batch" if len(alone) == 1 else f"{', '.join(alone)} do not batch"
    least = min(served.steps, key=lambda step: step.max_batch_size)
    return f"the smallest of its steps, {least.name}'s"
