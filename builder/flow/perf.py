"""`trb perf`: latency and throughput of the live server, held to the budget."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from builder import readspec, repository
from builder.errors import UsageError
from builder.flow.door import Door, Step
from builder.flow.live import Target, targets
from builder.flow.select import select
from builder.perf.load import Load
from builder.perf.machine import machine
from builder.perf.settings import Settings
from builder.server.endpoint import Endpoint
from builder.spec.project import Latency, ReadProject
from builder.spec.results import ModelPerf, PerfReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfRequest:
    """What to measure, as the command line says it."""

    concurrency: tuple[int, ...] = ()
    rate: tuple[float, ...] = ()
    """With neither, the budget's load is measured; without a budget, one request at a time."""
    arrivals: Literal["constant", "poisson"] = "poisson"
    batch: int | None = None
    """Rows per request; None: the budget's, else 1."""
    sizes: tuple[str, ...] = ()
    """`axis=size`, as written."""
    protocol: Literal["grpc", "http"] = "grpc"
    input_data: Path | None = None
    engine: Literal["auto", "perf_analyzer", "trb"] = "auto"
    settings: Settings = field(default_factory=Settings)


def perf(
    spec_file: Path, names: Sequence[str], *, door: Door, request: PerfRequest, step: Step
) -> PerfReport:
    """Put load on every model of the spec, or those called `names`.

    Raises:
        SpecError: the spec, or its samples, are wrong.
        RepositoryError: a model was never built.
        ServerError: there is no live Triton, or it will not load a model.
    """
    read = readspec.read(spec_file)
    found = targets(read, select(read.project, names), names)
    axis_sizes(request.sizes)
    with door.open(read, found, step) as endpoint:
        return perf_on(read, found, endpoint, request, step)


def perf_on(
    read: ReadProject, found: Sequence[Target], endpoint: Endpoint, request: PerfRequest, step: Step
) -> PerfReport:
    """Put load on `found` on a server that runs, and add the figures to the live record."""
    measured = []
    for target in found:
        figures = _measure(read, target, endpoint, request, step)
        repository.append_live(read.repository, target.published, "perf", figures)
        measured.append(figures)
    return PerfReport(models=tuple(measured), server=endpoint.description, machine=machine())


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


def _measure(
    read: ReadProject, target: Target, endpoint: Endpoint, request: PerfRequest, step: Step
) -> ModelPerf:
    from builder.loading.samples import load_samples
    from builder.perf import Wish, inputs, measure

    batch = request.batch or (target.model.latency.batch if target.model.latency else 1)
    with redirect_stdout(sys.stderr):  # what the samples' module prints is not part of the report
        samples = load_samples(target.model, read.folder)
    wish = Wish(file=request.input_data, sizes=axis_sizes(request.sizes), batch=batch)
    feeds, input_data = inputs(target.model, samples, wish)
    return measure(
        target.model,
        target.triton_name,
        target.published.version,
        endpoint,
        feeds,
        loads=_loads(request, target.model.latency, batch),
        latency=target.model.latency,
        input_data=input_data,
        engine=request.engine,
        settings=request.settings,
        on_step=lambda what: step(target.triton_name, what),
    )


def _loads(request: PerfRequest, latency: Latency | None, batch: int) -> tuple[Load, ...]:
    closed = [Load(concurrency=n, batch=batch, protocol=request.protocol) for n in request.concurrency]
    opened = [
        Load(rate=rate, arrivals=request.arrivals, batch=batch, protocol=request.protocol)
        for rate in request.rate
    ]
    if closed or opened or latency is not None:
        return (*closed, *opened)
    return (Load(concurrency=1, batch=batch, protocol=request.protocol),)
