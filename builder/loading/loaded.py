"""A source in memory, with its reference, its provenance and its fingerprint."""

from pathlib import Path

from builder.feeds import Case, label, random_feed, sizes, too_heavy, with_sample_ranges
from builder.loading.callables import resolve
from builder.loading.fingerprint import digest, entry_sha256, packages, served_sha256
from builder.loading.opened import Opened
from builder.loading.outputs import find_outputs, require_promises
from builder.loading.provenance import provenance
from builder.loading.recorder import Reading, recording, spelt
from builder.loading.samples import load_samples
from builder.loading.sources import open_source
from builder.loading.steady import require_steady, state_sha256
from builder.spec.loaded import Feed, Fingerprint, Loaded
from builder.spec.project import Model
from builder.spec.releases import Release
from builder.spec.tensors import Signature, Tensor


def load(name: str, model: Model, folder: Path, release: Release) -> Loaded:
    """Load the source of `model`, run it at every size that matters, and note all that it read.

    Args:
        name: the model's name in trb.yaml.
        model: its entry.
        folder: the folder of trb.yaml; relative paths and modules start there.
        release: the target release, part of the fingerprint.

    The Loaded's `model` has a range for integer inputs that only the samples tell.

    Raises:
        SourceError: the source cannot be loaded, or is not what trb.yaml says.
    """
    with recording() as reading:
        if ":" in model.source:
            resolve(model.source, folder, key="source")  # a missing source is told before missing samples
        samples = load_samples(model, folder)
        ranged = with_sample_ranges(model, samples)
        opened = open_source(ranged, folder)
        outputs = _outputs(ranged, opened)
    require_promises(model, outputs)
    signature = Signature(inputs=opened.inputs, outputs=outputs)
    files = _files(model, folder, reading, opened)
    return Loaded(
        name=name,
        model=ranged,
        kind=opened.kind,
        module=opened.module,
        original=opened.original,
        program=opened.program,
        path=opened.path,
        signature=signature,
        bind=opened.bind,
        reference=opened.reference,
        reference_name=opened.reference_name,
        samples=samples,
        provenance=provenance(
            model,
            folder,
            files=files,
            outside=reading.outside(folder),
            weights_sha256=opened.weights_sha256,
        ),
        fingerprint=Fingerprint(
            entry_sha256=entry_sha256(name, model, release.name),
            served_sha256=served_sha256(name, model, release.name),
            files=files,
            packages=packages(reading.packages()),
        ),
        not_proven=tuple(filter(None, (too_heavy(ranged, signature),))),
        notes=(*opened.notes, *_range_notes(model, ranged, samples)),
    )


def _outputs(model: Model, opened: Opened) -> tuple[Tensor, ...]:
    cases = [
        Case(name=label(tried), sizes=tried, feed=random_feed(model, tried, seed=0)) for tried in sizes(model)
    ]
    before = state_sha256(opened.original)
    answers = [(case, opened.reference(case.feed)) for case in cases]
    require_steady(opened, before, cases[0].feed, answers[0][1])
    return find_outputs(model, answers, opened.dtypes)


def _range_notes(model: Model, ranged: Model, samples: Feed | None) -> tuple[str, ...]:
    if samples is None:
        return ()
    found = {name: one.range for name, one in ranged.inputs.items() if one.range != model.inputs[name].range}
    return tuple(
        f"range of {name} taken from the samples: {ends[0]:.0f} to {ends[1]:.0f}"
        for name, ends in found.items()
        if ends is not None
    )


def _files(model: Model, folder: Path, reading: Reading, opened: Opened) -> dict[str, str]:
    named = [path for path in (model.weights, model.samples) if path is not None and ":" not in path]
    if opened.path is not None:
        named += [model.source, *(spelt(path, folder) for path in opened.further_files)]
    files = {**reading.files(folder), **{path: digest(folder / path) for path in named}}
    return dict(sorted(files.items()))
