"""A source in memory, with its reference, its provenance and its fingerprint."""

from collections.abc import Iterator
from pathlib import Path

from builder.feeds import answer, sampled_inputs, too_heavy, with_samples
from builder.loading.callables import found_at
from builder.loading.fingerprint import digest, entry_sha256, packages, served_sha256
from builder.loading.labels import read_labels
from builder.loading.opened import Opened, random_cases
from builder.loading.outputs import find_outputs, require_promises
from builder.loading.provenance import provenance
from builder.loading.recorder import Reading, recording, spelt
from builder.loading.samples import load_samples
from builder.loading.shapes_only import shapes_only
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

    The Loaded's `model` has what only the samples tell: a range for integer inputs, and the one size of every axis of
    the inputs whose values come from them alone.

    Raises:
        SourceError: the source cannot be loaded, or is not what trb.yaml says.
    """
    with recording() as reading:
        if ":" in model.source:
            found_at(model.source, folder, key="source")  # a missing source is told before missing samples
        samples = load_samples(model, folder)
        ranged = with_samples(model, samples)
        opened = open_source(model, folder, release, samples)
        outputs = _outputs(model, ranged, samples, opened)
    require_promises(model, outputs)
    signature = Signature(inputs=opened.inputs, outputs=outputs)
    files = _files(model, folder, reading, opened)
    return Loaded(
        name=name,
        model=ranged,
        declared=model.dims,
        kind=opened.kind,
        module=opened.module,
        original=opened.original,
        program=opened.program,
        path=opened.path,
        python=opened.python,
        labels=read_labels(model, folder, outputs),
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
            packages=packages((*reading.packages(), *_delivered(opened))),
        ),
        not_proven=(*_other_sizes(model, ranged), *filter(None, (too_heavy(ranged, signature),))),
        notes=(*opened.notes, *_range_notes(model, ranged, samples)),
    )


def _outputs(declared: Model, model: Model, samples: Feed | None, opened: Opened) -> tuple[Tensor, ...]:
    before = state_sha256(opened.original)
    answers = [
        (case, answer(opened.reference, case, model, samples)) for case in random_cases(model, samples)
    ]
    # The more values, the less likely that two draws agree: of four, dropout keeps the same ones 1 time in 16.
    largest, first = max(answers, key=lambda one: sum(array.size for array in one[1].values()))
    require_steady(opened, before, largest.feed, first)
    if opened.declared:
        return opened.declared
    further = shapes_only(declared, model, samples, opened)
    return find_outputs(model, [*answers, *further], opened.dtypes)


def _delivered(opened: Opened) -> tuple[str, ...]:
    return tuple(opened.python.packages) if opened.python is not None else ()


def _other_sizes(declared: Model, model: Model) -> Iterator[str]:
    for axis, ends in model.dims.items():
        if axis in declared.dims and ends != declared.dims[axis]:
            names = ", ".join(n for n in sampled_inputs(model) if axis in model.inputs[n].shape)
            yield (
                f"at other sizes of {axis} than {ends.max}: the values of {names} come from the samples, which "
                "have that size alone"
            )


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
    named += [one.labels for one in model.outputs.values() if one.labels is not None]
    if opened.python is not None:
        own = (*opened.python.files.values(), *opened.python.modules.values())
        named += [*model.python.files, *(spelt(path.resolve(), folder.resolve()) for path in own)]
    if opened.path is not None:
        named += [model.source, *(spelt(path, folder) for path in opened.further_files)]
    files = {**reading.files(folder), **{path: digest(folder / path) for path in named}}
    return dict(sorted(files.items()))
