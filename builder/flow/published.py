"""What is staged, published one atomic step a model, as rows of the report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from builder import repository
from builder.errors import TrbError
from builder.flow.worker import Built
from builder.repository import Published
from builder.spec.project import Backend, ReadProject
from builder.spec.results import BuiltModel

Rows = tuple[BuiltModel, ...]
Names = Mapping[Backend, str]
Status = Literal["built", "unchanged", "fresh", "failed"]


def publish_all(
    read: ReadProject, name: str, names: Names, built: Built, *, allow_new_signature: bool
) -> Rows:
    """Publish all versions of one model or pipeline, and note the build only when all are.

    Args:
        read: the project.
        name: the model's or pipeline's name in trb.yaml.
        names: what it is called in the repository, by what it is there.
        built: what is staged.
        allow_new_signature: whether it may break its clients.
    """
    rows = {
        names[backend]: failed_row(name, names[backend], backend, error)
        for backend, error in built.failures.items()
    }
    published: list[Published] = []
    if not allow_new_signature and (refused := _refused_pipeline(read, name, built)):
        return refused
    for staged in built.staged:
        if staged.backend is Backend.ENSEMBLE and (lost := _lost(rows)) is not None:
            rows[staged.triton_name] = replace(lost, triton_name=staged.triton_name, backend=staged.backend)
            continue
        strange = repository.strangeness(read.repository, staged.triton_name)
        try:
            one = repository.publish(
                read.repository,
                staged.triton_name,
                staged.folder,
                staged.record,
                allow_new_signature=allow_new_signature,
            )
        except TrbError as error:  # one version's failure: the others are published all the same
            rows[staged.triton_name] = failed_row(name, staged.triton_name, staged.backend, error)
            continue
        published.append(one)
        if built.pick is not None and staged.backend is Backend.ENSEMBLE:
            repository.append_live(read.repository, one, "fuse", built.pick)
        status: Status = "built" if one.changed else "unchanged"
        shared = (
            built.notes if staged.triton_name in names.values() else ()
        )  # a merged model has none of them
        notes = dict.fromkeys(filter(None, (*shared, *one.record.notes, strange)))
        rows[staged.triton_name] = row(name, one, status, staged.seconds, tuple(notes))
    if len(published) == len(rows):
        repository.save_state(read.repository, name, built.fingerprint, tuple(published))
    return tuple(rows[one] for one in sorted(rows, key=[*names.values(), *rows].index))


def _refused_pipeline(read: ReadProject, name: str, built: Built) -> Rows:
    """Return the row of an ensemble that would break its clients: then its merged models stay out as well."""
    last = built.staged[-1] if built.staged else None
    if last is None or last.backend is not Backend.ENSEMBLE:
        return ()
    try:
        repository.require_publishable(read.repository, last.triton_name, last.record)
    except TrbError as error:
        return (failed_row(name, last.triton_name, last.backend, error),)
    return ()


def _lost(rows: Mapping[str, BuiltModel]) -> BuiltModel | None:
    """Return the row of a merged model that could not be published: an ensemble must not name it."""
    return next((one for one in rows.values() if one.status == "failed"), None)


def failed_row(name: str, triton_name: str, backend: Backend, error: TrbError) -> BuiltModel:
    """Return the row of what could not be built or published."""
    return BuiltModel(
        name=name,
        triton_name=triton_name,
        backend=backend,
        status="failed",
        error=error.what,
        fix=error.fix,
        error_code=error.exit_code,
    )


def row(name: str, one: Published, status: Status, seconds: float, notes: tuple[str, ...]) -> BuiltModel:
    """Return the row of a version that is in the repository."""
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


def told(rows: Rows) -> str:
    """Return what became of a model, in the words of one whose name stands before them."""
    return ", ".join(
        f"{'' if row.triton_name == row.name else f'{row.triton_name} '}"
        f"{'' if row.version is None else f'version {row.version} '}{row.status}"
        for row in rows
    )
