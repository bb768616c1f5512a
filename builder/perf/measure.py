"""A model under every load asked for, held against its budget."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from builder.errors import MissingTool
from builder.perf import nvidia, ours
from builder.perf.budget import limits, missed, watched
from builder.perf.load import Load, budget_load, is_budgeted
from builder.perf.requests import requests
from builder.perf.settings import Engine, OnStep, Settings
from builder.perf.target import Target, describe
from builder.perf.windows import Window
from builder.server.client import connected
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Feed
from builder.spec.project import Latency, Model
from builder.spec.results import LoadPoint, ModelPerf

_OPEN_LOOP: Final = f"{nvidia.NAME} times a late request from when it was sent, not from when it was due"

_Measured = tuple[LoadPoint, tuple[Window, ...]]


def measure(
    model: Model,
    triton_name: str,
    version: int,
    endpoint: Endpoint,
    feeds: Sequence[Feed],
    *,
    loads: Sequence[Load] = (),
    latency: Latency | None = None,
    input_data: str = "",
    engine: Engine = "auto",
    settings: Settings | None = None,
    on_step: OnStep = lambda _: None,
) -> ModelPerf:
    """Drive one version of a served model with each load in turn, and hold the figures to the budget.

    Args:
        model: the spec's entry.
        triton_name: its name in the repository.
        version: the version to ask for.
        endpoint: the live server.
        feeds: inputs with full shapes; their rows are put together to requests of each load's batch.
        loads: levels of load; the budget's own is added where it is missing, so that a budget is always
            judged.
        latency: the budget.
        input_data: where `feeds` came from, for the report.
        engine: auto takes perf_analyzer where it can measure what is asked, else ours, and says why.
        settings: windows, warm-up and stability.
        on_step: hears one line per window.

    Raises:
        ServerError: the server does not serve this version.
        UsageError: a load cannot be put on this model.
        MissingTool: perf_analyzer was asked for by name and cannot be had.
    """
    settings = settings or Settings()
    ready = [(load, requests(model, feeds, load.batch)) for load in with_budget(loads, latency)]
    with connected(endpoint) as client:
        target = describe(client, triton_name, version)
        points = tuple(
            _judged(target, load, sent, latency=latency, engine=engine, settings=settings, on_step=on_step)
            for load, sent in ready
        )
    return ModelPerf(model=triton_name, version=version, points=points, input_data=input_data)


def with_budget(loads: Sequence[Load], latency: Latency | None) -> tuple[Load, ...]:
    """Return `loads` with the budget's own where it is missing; without any, one request at a time."""
    chosen = tuple(loads)
    if latency is not None and not any(is_budgeted(load, latency) for load in chosen):
        chosen = (budget_load(latency, chosen[0].protocol if chosen else "grpc"), *chosen)
    return chosen or (Load(concurrency=1),)


def _judged(
    target: Target,
    load: Load,
    feeds: Sequence[Feed],
    *,
    latency: Latency | None,
    engine: Engine,
    settings: Settings,
    on_step: OnStep,
) -> LoadPoint:
    budget = latency if is_budgeted(load, latency) else None
    settings = replace(settings, watched=watched(budget), budgeted=tuple(limits(budget)) if budget else ())
    point, windows = _measured(target, load, feeds, settings, engine, on_step)
    return replace(point, missed=missed(point, windows, budget)) if budget else point


def _measured(
    target: Target, load: Load, feeds: Sequence[Feed], settings: Settings, engine: Engine, on_step: OnStep
) -> _Measured:
    if engine == "trb":
        return ours.measure_point(target, load, feeds, settings, on_step=on_step)
    reason = nvidia.why_not(target, load, feeds) or (
        _OPEN_LOOP if engine == "auto" and load.rate is not None else ""
    )
    if not reason:
        try:
            return nvidia.measure_point(target, load, feeds, settings, on_step=on_step)
        except nvidia.CannotMeasure as error:
            reason = str(error)
        except MissingTool as error:  # the one failure that `auto` exists to get round
            if engine == "perf_analyzer":
                raise
            reason = error.what.splitlines()[0].rstrip(":")
    on_step(f"{load}: our own engine, because {reason}")
    return ours.measure_point(
        target, load, feeds, settings, engine=f"{ours.NAME} ({reason})", on_step=on_step
    )
