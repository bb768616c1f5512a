"""A pipeline as a model: the same steps, run one after another in this process, are its reference."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.errors import SourceError
from builder.feeds import sample_count, sampled_inputs, with_samples
from builder.loading.fingerprint import packages, pipeline_served_sha256, pipeline_sha256
from builder.loading.provenance import provenance
from builder.loading.recorder import recording
from builder.loading.samples import load_samples
from builder.loading.sources import open_source
from builder.spec.loaded import Feed, Fingerprint, Loaded, Runner
from builder.spec.pipeline import Wired
from builder.spec.project import Model, Pipeline
from builder.spec.releases import Release
from builder.wiring import as_model, composed, reader_of

REFERENCE: Final = "the same steps in this process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A pipeline and what it is made of."""

    name: str
    pipeline: Pipeline
    wired: Wired
    models: Mapping[str, Model]
    """The entry of each step's model in trb.yaml, by its name in the repository."""
    inner: Mapping[str, Wired]
    """The pipelines that are steps, by name."""
    files: Mapping[str, Runner]
    """What runs the steps that trb.yaml has no source of, by the model's name."""
    versions: Mapping[str, str]
    """The hash of the version of each step's model."""


def load_pipeline(entry: Entry, folder: Path, release: Release) -> Loaded:
    """Open the sources of all steps and join them.

    Args:
        entry: the pipeline.
        folder: that of trb.yaml.
        release: the target release.

    Raises:
        SourceError: a source cannot be opened, or the samples are not what the steps take.
    """
    wired = entry.wired
    with recording() as reading:
        model = as_model(wired, entry.models, entry.pipeline)
        samples = pipeline_samples(wired, model, entry.models, folder)
        runners = sources(entry, folder, release)
    files = reading.files(folder)
    listing = json.dumps(dict(sorted(entry.versions.items())))
    return Loaded(
        name=entry.name,
        model=with_samples(model, samples),
        declared=model.dims,
        kind="pipeline",
        signature=wired.signature,
        reference=composed(wired, runners),
        runners=runners,
        reference_name=REFERENCE,
        samples=samples,
        provenance=provenance(
            model,
            folder,
            files=files,
            outside=reading.outside(folder),
            weights_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        ),
        fingerprint=Fingerprint(
            entry_sha256=pipeline_sha256(
                entry.name, entry.pipeline, entry.versions, release.name, entry.models
            ),
            served_sha256=pipeline_served_sha256(entry.name, entry.pipeline, entry.versions, release.name),
            files=files,
            packages=packages(reading.packages()),
        ),
    )


def sources(entry: Entry, folder: Path, release: Release) -> Mapping[str, Runner]:
    """Return the reference of each model that the pipeline, or one that is a step of it, is made of.

    Raises:
        SourceError: one cannot be opened.
    """
    runners = dict(entry.files)
    for name, model in entry.models.items():
        if name not in entry.inner:
            runners[name] = _source(name, model, folder, release)
    for name, wired in entry.inner.items():  # each after those that are steps of it
        runners[name] = composed(wired, runners)
    return runners


def _source(name: str, model: Model, folder: Path, release: Release) -> Runner:
    try:
        return open_source(model, folder, release, load_samples(model, folder)).reference
    except SourceError as error:
        raise SourceError(f"step {name}: {error.what}", fix=error.fix) from error


def pipeline_samples(wired: Wired, model: Model, models: Mapping[str, Model], folder: Path) -> Feed | None:
    """Return real inputs: the pipeline's own samples, else those of the steps that read them, as many as all have.

    Args:
        wired: the pipeline.
        model: the pipeline as a model.
        models: the entries of its steps' models.
        folder: that of trb.yaml.

    Raises:
        SourceError: they are not what the steps take, or an input cannot do without and another's step has none.
    """
    if model.samples is not None:
        return load_samples(model, folder)
    found: dict[str, Feed | None] = {}
    feed = {}
    for name in wired.inputs:
        step, own = reader_of(wired, name)
        if step.model not in found:
            entry = models.get(step.model)
            found[step.model] = load_samples(entry, folder) if entry is not None else None
        theirs = found[step.model]
        if theirs is None:
            _require_none_needed(model, wired, name)
            return None
        feed[name] = theirs[own]
    count = sample_count(feed)
    return {name: array[:count] for name, array in feed.items()}


def _require_none_needed(model: Model, wired: Wired, without: str) -> None:
    """Check that every input can be drawn at random, where the step that reads `without` has no samples."""
    needing = sampled_inputs(model)
    if needing:
        reader, _ = reader_of(wired, without)
        raise SourceError(
            f"input {needing[0]}: its values come from samples, which have to be of all inputs, and step "
            f"{reader.name}, which reads `{without}`, has none",
            fix=f"give the pipeline `samples` of {', '.join(wired.inputs)}, or {reader.name} those of its inputs",
        )
