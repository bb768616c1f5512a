"""`trb perf`: latency and throughput of the live server, held to the budget."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from builder import readspec, repository
from builder.errors import UsageError
from builder.flow.door import Door, Step
from builder.flow.live import NO_SERVER, Target, targets
from builder.flow.select import select
from builder.perf import Load, Plan, Settings, Wish, machine, measure, plan, with_budget
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Feed
from builder.spec.project import Latency, ReadProject
from builder.spec.results import ModelPerf, PerfReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfRequest:
    """What to measure, as the command line says it."""

    concurrency: tuple[int, ...] = ()
    rate: tuple[float, ...] = ()
    """With neither, the budget's load is measured; without a budget, one request at a time. The budget's own load is
    measured in any case."""
    arrivals: Literal["constant", "poisson"] = "poisson"
    batch: int | None = None
    """Rows per request; None: the budget's, else 1. A budget is judged at its own number of rows alone."""
    sizes: tuple[str, ...] = ()
    """`axis=size`, as written."""
    protocol: Literal["grpc", "http"] = "grpc"
    input_data: Path | None = None
    engine: Literal["auto", "perf_analyzer", "trb"] = "auto"
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A model and what will be done to it."""

    target: Target
    plan: Plan


def perf(
    spec_file: Path, names: Sequence[str], *, door: Door, request: PerfRequest, step: Step
) -> PerfReport:
    """Put load on every model of the spec, or those called `names`; one without a version fails alone.

    What can be wrong without a server is found before one is started.

    Raises:
        SpecError: the spec, or its samples, are wrong.
        UsageError: the input file, a size or a load does not fit a model.
        ServerError: there is no live Triton, it will not load a model, or serves it with another configuration.
    """
    read = readspec.read(spec_file)
    found = targets(read, select(read.project, names), names)
    unmeasured = tuple(
        ModelPerf(model=one.triton_name, version=None, problem=one.why) for one in found.missing
    )
    planned = _plans(read, found.targets, request)
    if not planned:
        return PerfReport(models=unmeasured, server=NO_SERVER, machine=machine())
    with door.open(read, found.targets, step) as endpoint:
        report = _measured(read, planned, endpoint, step)
    return replace(report, models=(*report.models, *unmeasured))


def perf_on(
    read: ReadProject, found: Sequence[Target], endpoint: Endpoint, request: PerfRequest, step: Step
) -> PerfReport:
    """Put load on `found` on a server that runs, and add the figures to the live record."""
    return _measured(read, _plans(read, found, request), endpoint, step)


def axis_sizes(words: Sequence[str]) -> Mapping[str, int]:
    """Return sizes by axis of `axis=size` words.

    Raises:
        UsageError: one is not of that form.
    """
    pairs = [word.partition("=") for word in words]
    for (axis, _, size), word in zip(pairs, words, strict=True):
        if not axis or not size.isdecimal() or int(size) < 1:
            raise UsageError(f"{word!r} is no size of an axis", fix="write it as `--size seq=32`")
    return {axis: int(size) for axis, _, size in pairs}


def _measured(read: ReadProject, planned: Sequence[_Planned], endpoint: Endpoint, step: Step) -> PerfReport:
    models = []
    for one in planned:
        published = one.target.published
        tell = partial(step, published.triton_name)
        wired = one.target.made_of.note.served if one.target.made_of is not None else None
        figures = measure(published.folder, endpoint, one.plan, wired=wired, on_step=tell)
        repository.append_live(read.repository, published, "perf", figures)
        models.append(figures)
    return PerfReport(models=tuple(models), server=endpoint.description, machine=machine())


def _plans(read: ReadProject, found: Sequence[Target], request: PerfRequest) -> tuple[_Planned, ...]:
    sizes = axis_sizes(request.sizes)
    return tuple(_Planned(target=one, plan=_plan(read, one, request, sizes)) for one in found)


def _plan(read: ReadProject, target: Target, request: PerfRequest, sizes: Mapping[str, int]) -> Plan:
    model = target.model
    loads = _loads(request, model.latency)
    with redirect_stdout(sys.stderr):  # what the samples' module prints is not part of the report
        samples = _samples(read, target)
    wish = Wish(file=request.input_data, sizes=sizes, batch=max(load.batch for load in loads))
    return plan(model, samples, wish, loads, engine=request.engine, settings=request.settings)


def _samples(read: ReadProject, target: Target) -> Feed | None:
    from builder.loading.samples import load_samples

    if target.made_of is None:
        return load_samples(target.model, read.folder)
    from builder.loading.pipeline import pipeline_samples

    made_of = target.made_of
    return pipeline_samples(made_of.note.written, target.model, made_of.parts.models, read.folder)


def _loads(request: PerfRequest, latency: Latency | None) -> tuple[Load, ...]:
    batch = request.batch or (latency.batch if latency else 1)
    closed = (Load(concurrency=n, batch=batch, protocol=request.protocol) for n in request.concurrency)
    opened = (
        Load(rate=rate, arrivals=request.arrivals, batch=batch, protocol=request.protocol)
        for rate in request.rate
    )
    return with_budget(
        (*closed, *opened), latency, batch=batch, protocol=request.protocol, arrivals=request.arrivals
    )
