"""`trb check`: the numbers of the live server against PyTorch's."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from builder import readspec, repository
from builder.flow.door import Door, Step
from builder.flow.live import NO_SERVER, Target, targets
from builder.flow.select import select
from builder.loading.fingerprint import served_sha256
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Loaded
from builder.spec.project import ReadProject
from builder.spec.releases import release
from builder.spec.results import CheckReport, ModelCheck


def check(spec_file: Path, names: Sequence[str], *, door: Door, step: Step) -> CheckReport:
    """Check every model of the spec, or those called `names`, on a live Triton; one without a version fails alone.

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
    with door.open(read, found.targets, step) as endpoint:
        report = check_on(read, found.targets, endpoint, step)
    return replace(report, models=(*report.models, *unchecked))


def check_on(read: ReadProject, found: Sequence[Target], endpoint: Endpoint, step: Step) -> CheckReport:
    """Check `found` on a server that runs, and add each verdict to the live record."""
    verdicts: list[ModelCheck] = []
    for name, group in groupby(found, key=lambda target: target.name):
        loaded = _load(read, name, step)
        verdicts += [_check_one(read, target, loaded, endpoint, step) for target in group]
    return CheckReport(models=tuple(verdicts), server=endpoint.description)


def _load(read: ReadProject, name: str, step: Step) -> Loaded:
    from builder.loading import load

    step(name, "loading")
    with redirect_stdout(sys.stderr):  # what the source prints is not part of the report
        return load(name, read.project.models[name], read.folder, release(read.project.triton))


def _check_one(
    read: ReadProject, target: Target, loaded: Loaded, endpoint: Endpoint, step: Step
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
    )
    repository.append_live(read.repository, published, "check", verdict)
    step(target.triton_name, "passed" if verdict.passed else "failed")
    return verdict


def _outdated(read: ReadProject, target: Target) -> Iterator[str]:
    """Yield that trb.yaml asks for another model than the one last built, tolerances and budgets aside."""
    state = repository.load_state(read.repository, target.name)
    asked = served_sha256(target.name, target.model, read.project.triton)
    if state is not None and state.fingerprint.served_sha256 not in ("", asked):
        yield (
            f"trb.yaml says other things of {target.name} than when version {target.published.version} was built: "
            "run `trb build`"
        )


def _built_from(read: ReadProject, target: Target) -> Mapping[str, str]:
    """Return what the last build read, if that build left this version.

    Not the record's hash of the source: a build of an edited source that came to the same bytes leaves it as it was.
    """
    state = repository.load_state(read.repository, target.name)
    left = [(one.triton_name, one.version) for one in state.versions] if state is not None else []
    if state is None or (target.triton_name, target.published.version) not in left:
        return {}
    return state.fingerprint.files
