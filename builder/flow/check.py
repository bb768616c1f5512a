"""`trb check`: the numbers of the live server against PyTorch's."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import readspec, repository
from builder.errors import TrbError
from builder.flow.door import Door, Step
from builder.flow.live import NO_SERVER, MadeOf, Target, targets
from builder.flow.pipeline_entry import entry_of
from builder.flow.select import select
from builder.flow.served_files import backends, open_served
from builder.loading.fingerprint import pipeline_served_sha256, served_sha256
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Feed, Loaded, Runner
from builder.spec.pipeline import Wired
from builder.spec.project import ReadProject
from builder.spec.releases import release
from builder.spec.results import CheckReport, ModelCheck
from builder.wiring import composed

if TYPE_CHECKING:
    from builder.check import Steps


def check(
    spec_file: Path, names: Sequence[str], *, door: Door, against: Door | None = None, step: Step
) -> CheckReport:
    """Check every model of the spec, or those called `names`, on a live Triton; one without a version fails alone.

    Args:
        spec_file: the spec.
        names: of models, with or without their backends; empty: all.
        door: of the server that is checked.
        against: of another one, which runs beside it, is asked the same and is held against it; None: none.
        step: told what is going on.

    Raises:
        SpecError: the spec, or a source it names, is wrong.
        ServerError: there is no live Triton, or it will not load a model.
    """
    read = readspec.read(spec_file)
    found = targets(read, select(read.project, names), names)
    unchecked = tuple(
        ModelCheck(model=one.triton_name, version=None, problems=(one.why,)) for one in found.missing
    )
    if not found.targets:
        return CheckReport(models=unchecked, server=NO_SERVER)
    with (
        door.open(read, found.targets, step) as endpoint,
        _other(against, read, found.targets, step) as other,
    ):
        report = check_on(read, found.targets, endpoint, step, against=other)
    return replace(report, models=(*report.models, *unchecked))


@contextmanager
def _other(
    against: Door | None, read: ReadProject, found: Sequence[Target], step: Step
) -> Iterator[Endpoint | None]:
    """Yield the server that the checked one is held against; what keeps it from running says which one it is."""
    if against is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            endpoint = stack.enter_context(against.open(read, found, lambda _, what: step("against", what)))
        except TrbError as error:
            raise type(error)(f"--against {against.server}: {error.what}", fix=error.fix) from error
        yield endpoint


def check_on(
    read: ReadProject,
    found: Sequence[Target],
    endpoint: Endpoint,
    step: Step,
    *,
    against: Endpoint | None = None,
) -> CheckReport:
    """Check `found` on a server that runs, and add each verdict to the live record."""
    verdicts: list[ModelCheck] = []
    for _, group in groupby(found, key=lambda target: target.name):
        same = tuple(group)
        loaded = _load(read, same[0], step)
        verdicts += [_check_one(read, target, loaded, endpoint, against, step) for target in same]
    return CheckReport(
        models=tuple(verdicts),
        server=endpoint.description,
        against="" if against is None else against.description,
    )


def _load(read: ReadProject, target: Target, step: Step) -> Loaded:
    from builder.loading import load
    from builder.loading.pipeline import load_pipeline

    step(target.name, "loading")
    with redirect_stdout(sys.stderr):  # what the source prints is not part of the report
        if target.made_of is not None:
            entry = entry_of(read, target.name, target.made_of)
            return load_pipeline(entry, read.folder, release(read.project.triton))
        return load(target.name, target.model, read.folder, release(read.project.triton))


def _check_one(
    read: ReadProject,
    target: Target,
    loaded: Loaded,
    endpoint: Endpoint,
    against: Endpoint | None,
    step: Step,
) -> ModelCheck:
    from builder.check import check as check_model

    published = target.published
    verdict = check_model(
        loaded,
        published.record,
        published.folder,
        endpoint,
        release=release(read.project.triton),
        departures=(*repository.verify(published), *_outdated(read, target)),
        built_from=_built_from(read, target),
        on_step=lambda what: step(target.triton_name, what),
        steps=_steps(read, target.made_of) if target.made_of is not None else None,
        against=against,
    )
    repository.append_live(read.repository, published, "check", verdict)
    step(target.triton_name, "passed" if verdict.passed else "failed")
    return verdict


def _steps(read: ReadProject, made_of: MadeOf) -> "Steps":
    """Return what the check of a pipeline asks its steps for."""
    from builder.check import Steps

    return Steps(
        note=made_of.note,
        entries=made_of.parts.models,
        files=_files(read, made_of.note.served),
        backends=backends(read.repository, made_of.note.served),
    )


def _files(read: ReadProject, served: Wired) -> Runner:
    """Return what runs the files of all steps; a file that its runtime refuses fails the hops, and nothing else."""
    threads = len(os.sched_getaffinity(0))
    try:
        files = {one.model: open_served(read.repository, one.model, threads=threads) for one in served.steps}
    except TrbError as error:
        refusal = error

        def refuse(_: Feed) -> dict[str, Any]:
            raise refusal

        return refuse
    return composed(served, files)


def _outdated(read: ReadProject, target: Target) -> Iterator[str]:
    """Yield that trb.yaml asks for another model than the one last built, tolerances and budgets aside."""
    state = repository.load_state(read.repository, target.name)
    built_again = [] if target.made_of is None else target.made_of.built_again
    if built_again:
        steps = ", ".join(built_again)
        yield f"{steps} {'was' if len(built_again) == 1 else 'were'} built again since: run `trb build {target.name}`"
    elif state is not None and state.fingerprint.served_sha256 not in ("", _asked(read, target)):
        yield (
            f"trb.yaml says other things of {target.name} than when version {target.published.version} was built: "
            "run `trb build`"
        )


def _asked(read: ReadProject, target: Target) -> str:
    if target.made_of is None:
        return served_sha256(target.name, target.model, read.project.triton)
    made_of = target.made_of
    return pipeline_served_sha256(target.name, made_of.pipeline, made_of.parts.versions, read.project.triton)


def _built_from(read: ReadProject, target: Target) -> Mapping[str, str]:
    """Return what the last build read, if that build left this version.

    Not the record's hash of the source: a build of an edited source that came to the same bytes leaves it as it was.
    """
    state = repository.load_state(read.repository, target.name)
    left = [(one.triton_name, one.version) for one in state.versions] if state is not None else []
    if state is None or (target.triton_name, target.published.version) not in left:
        return {}
    return state.fingerprint.files
