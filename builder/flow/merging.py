"""The steps of a pipeline that become one model, from their files to proven stages."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builder import repository
from builder.errors import ExportError, RepositoryError
from builder.flow.parts import Parts
from builder.flow.worker import Say, Staged, proven
from builder.spec.artifact import Artifact
from builder.spec.loaded import Feed, Loaded
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.releases import Release
from builder.spec.tensors import Signature
from builder.wiring import as_model, composed, traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a pipeline is built, and of what."""

    parts: Parts
    folder: Path
    """The folder of trb.yaml."""
    repository: Path
    target: Release
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A model that several steps were merged into."""

    group: tuple[WiredStep, ...]
    artifact: Artifact
    staged: Staged


def merge_groups(loaded: Loaded, written: Wired, place: Place, say: Say) -> tuple[Wired, tuple[Merged, ...]]:
    """Return the pipeline with merged models in place of neighbouring graphs, and those models, each proven.

    Args:
        loaded: the pipeline; its samples are run up to each group, to prove the merged model on real values.
        written: the pipeline as trb.yaml has it.
        place: where its steps lie, and where stages are made.
        say: told what is being done.

    Raises:
        ExportError: the files of a group cannot be one, or do not answer like its steps.
    """
    from builder.export.fused import fused_wiring, groups

    found = groups(written)
    names = _names(place, fused_wiring(written, found, merged_names(loaded.name, len(found))), len(found))
    served = fused_wiring(written, found, names)
    signatures = {step.model: step.signature for step in served.steps}
    merged = []
    for group, name in zip(found, names, strict=True):
        say(f"merging {' + '.join(step.name for step in group)}")
        merged.append(
            _merge(group, _alone(group, written, name, signatures[name]), loaded, written, place, say)
        )
    return served, tuple(merged)


def merged_names(pipeline: str, count: int) -> tuple[str, ...]:
    """Return what the merged models of a pipeline are called in the repository."""
    return tuple(f"{pipeline}_fused" if n == 1 else f"{pipeline}_fused_{n}" for n in range(1, count + 1))


def _names(place: Place, served: Wired, count: int) -> tuple[str, ...]:
    """Return a name for each merged model: one that is free, or whose model in the repository takes and gives the same.

    Under the name of one that does not, the ensemble that is served now would not load until the new one is there.

    Args:
        place: where the repository is.
        served: the pipeline with merged models under the first names.
        count: how many of them there are.
    """
    steps = {step.model: step for step in served.steps}
    there = len(repository.models(place.repository))
    left = list(merged_names(served.name, there + count))
    chosen = []
    for name in merged_names(served.name, count):
        chosen.append(next(one for one in left if _suits(place, one, steps[name])))
        left.remove(chosen[-1])
    return tuple(chosen)


def _suits(place: Place, name: str, step: WiredStep) -> bool:
    try:
        record = repository.latest(place.repository, name).record
    except RepositoryError:  # there is none, or none that could be published above
        return not repository.model_folder(place.repository, name).exists()
    batch = replace(record.batch, max_batch_size=step.max_batch_size)
    return not repository.breaks(record, replace(record, signature=step.signature, batch=batch))


def _merge(
    group: tuple[WiredStep, ...], alone: Wired, loaded: Loaded, written: Wired, place: Place, say: Say
) -> Merged:
    from builder.export.fused import merge

    started = time.monotonic()
    stage = repository.stage(place.repository, alone.name)
    files = {step.model: _file(place, step) for step in group}
    artifact = merge(group, written, files, stage / "version", place.target)
    staged = proven(
        _loaded(alone, loaded, written, place),
        artifact,
        alone.name,
        stage,
        place.target,
        threads=place.threads,
        say=say,
        since=started,
    )
    proof = staged.record.batch
    if proof.max_batch_size != alone.max_batch_size:
        raise ExportError(
            f"{' + '.join(step.name for step in group)} batch {alone.max_batch_size} rows each, and merged "
            f"{proof.max_batch_size}: {proof.reason}",
            fix="say `fuse: false` in the pipeline",
        )
    return Merged(group=group, artifact=artifact, staged=staged)


def _file(place: Place, step: WiredStep) -> Path:
    part = place.parts.parts[step.model]
    return part.published.folder / part.backend.filename


def _alone(group: Sequence[WiredStep], written: Wired, name: str, signature: Signature) -> Wired:
    """Return the steps of a group as a pipeline of their own."""
    border = {tensor.name: tensor for tensor in (*signature.inputs, *signature.outputs)}
    return replace(
        written,
        name=name,
        steps=tuple(group),
        inputs=tuple(tensor.name for tensor in signature.inputs),
        outputs=tuple(tensor.name for tensor in signature.outputs),
        tensors={**written.tensors, **border},
        max_batch_size=min(step.max_batch_size for step in group),
    )


def _loaded(alone: Wired, loaded: Loaded, written: Wired, place: Place) -> Loaded:
    """Return a group as a model: its steps are its reference, its samples what they are fed in the pipeline."""
    from builder.feeds import with_samples
    from builder.loading.labels import read_labels
    from builder.loading.pipeline import pipeline_samples

    model = as_model(alone, place.parts.models)
    samples = _real_inputs(alone, loaded, written)
    if samples is None:
        samples = pipeline_samples(alone, model, place.parts.models, place.folder)
    return replace(
        loaded,
        name=alone.name,
        model=with_samples(model, samples),
        declared=model.dims,
        signature=alone.signature,
        reference=composed(alone, loaded.runners),
        samples=samples,
        labels=read_labels(model, place.folder, alone.signature.outputs),
        provenance=replace(loaded.provenance, source=model.source),
    )


def _real_inputs(alone: Wired, loaded: Loaded, written: Wired) -> Feed | None:
    """Return what the samples of the pipeline are by the time that they come to a group; None where there are none."""
    from builder.feeds import sample_count, sample_rows

    model, samples = loaded.model, loaded.samples
    batched = all(_is_batched(alone, name) for name in alone.inputs)
    if samples is None or not batched or not sample_count(samples):
        return None
    rows = min(sample_count(samples), max(1, written.max_batch_size))
    tensors: Mapping[str, object] = traced(written, loaded.runners, sample_rows(model, samples, 0, rows))
    return {name: tensors[name] for name in alone.inputs}


def _is_batched(alone: Wired, name: str) -> bool:
    shape = alone.tensors[name].shape
    return bool(alone.max_batch_size and shape and isinstance(shape[0], str))
