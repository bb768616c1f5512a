"""A source in memory, with its reference, its provenance and its fingerprint."""

from pathlib import Path

from builder.feeds import Case, random_feed, sizes
from builder.loading.fingerprint import entry_sha256, file_sha256, packages
from builder.loading.outputs import find_outputs, require_promises
from builder.loading.provenance import provenance
from builder.loading.recorder import Reading, recording
from builder.loading.samples import load_samples
from builder.loading.sources import Opened, open_source
from builder.spec.loaded import Fingerprint, Loaded
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

    Raises:
        SourceError: the source cannot be loaded, or is not what trb.yaml says.
    """
    with recording() as reading:
        opened = open_source(model, folder)
        outputs = _outputs(model, opened)
        samples = load_samples(model, folder)
    require_promises(model, outputs)
    files = _files(model, folder, reading, opened)
    return Loaded(
        name=name,
        model=model,
        kind=opened.kind,
        module=opened.module,
        original=opened.original,
        program=opened.program,
        path=opened.path,
        signature=Signature(inputs=opened.inputs, outputs=outputs),
        bind=opened.bind,
        reference=opened.reference,
        reference_name=opened.reference_name,
        samples=samples,
        provenance=provenance(model, folder, files, opened.weights_sha256),
        fingerprint=Fingerprint(
            entry_sha256=entry_sha256(name, model, release.name),
            files=files,
            packages=packages(reading.packages()),
        ),
        notes=opened.notes,
    )


def _outputs(model: Model, opened: Opened) -> tuple[Tensor, ...]:
    cases = [
        Case(name="shape", sizes=found, feed=random_feed(model, found, seed=0)) for found in sizes(model)
    ]
    return find_outputs(model, [(case, opened.reference(case.feed)) for case in cases], opened.dtypes)


def _files(model: Model, folder: Path, reading: Reading, opened: Opened) -> dict[str, str]:
    files = dict(reading.files(folder))
    named = [path for path in (model.weights, model.samples) if path is not None and ":" not in path]
    if opened.path is not None:
        named.append(model.source)
        named += [
            str(path.relative_to(folder)) for path in opened.path.parent.glob(f"{opened.path.name}.data")
        ]
    files |= {path: file_sha256(folder / path) for path in named}
    return dict(sorted(files.items()))
