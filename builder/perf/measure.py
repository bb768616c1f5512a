"""A model under every load asked for, held against its budget."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder.errors import CommandFailed, MissingTool
from builder.perf import nvidia, ours
from builder.perf.budget import limits, missed, watched
from builder.perf.load import Load, is_budgeted
from builder.perf.plan import Plan
from builder.perf.settings import Engine, OnStep, Settings
from builder.perf.steps import counts_at_rest, step_times
from builder.perf.target import Target, describe
from builder.perf.windows import Window
from builder.server.client import connected
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Feed
from builder.spec.pipeline import Wired
from builder.spec.results import LoadPoint, ModelPerf

_OPEN_LOOP: Final = f"{nvidia.NAME} times a late request from when it was sent, not from when it was due"

_Measured = tuple[LoadPoint, tuple[Window, ...]]


def measure(
    version_folder: Path,
    endpoint: Endpoint,
    plan: Plan,
    *,
    wired: Wired | None = None,
    on_step: OnStep = lambda _: None,
) -> ModelPerf:
    """Drive one version of a served model with each load of `plan` in turn, and hold the figures to the budget.

    Args:
        version_folder: the published version: its model and number are asked for, and the live configuration
            has to be the one beside it.
        endpoint: the live server.
        plan: loads, requests and how to measure.
        wired: the steps to account for, where the version is a pipeline's.
        on_step: hears one line per window.

    Raises:
        ServerError: the server does not serve this version, or serves it with another configuration.
        RepositoryError: our config.pbtxt cannot be read.
        MissingTool, CommandFailed: perf_analyzer was asked for by name, and cannot be had or hangs.
    """
    with connected(endpoint) as client:
        target = describe(client, version_folder)
        before = counts_at_rest(client, wired) if wired else {}
        points = tuple(_judged(target, load, sent, plan, on_step) for load, sent in plan.work)
        steps = step_times(wired, before, counts_at_rest(client, wired)) if wired else ()
    return ModelPerf(
        model=target.triton_name,
        version=target.version,
        points=points,
        input_data=plan.input_data,
        steps=steps,
    )


def _judged(target: Target, load: Load, feeds: Sequence[Feed], plan: Plan, on_step: OnStep) -> LoadPoint:
    budget = plan.latency if is_budgeted(load, plan.latency) else None
    settings = replace(
        plan.settings, watched=watched(budget), budgeted=tuple(limits(budget)) if budget else ()
    )
    point, windows = _measured(target, load, feeds, settings, plan.engine, on_step)
    return replace(point, budgeted=True, missed=missed(point, windows, budget)) if budget else point


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
        except (MissingTool, CommandFailed) as error:  # what `auto` exists to get round
            if engine == "perf_analyzer":
                raise
            reason = error.what.splitlines()[0].rstrip(":")
    on_step(f"{load}: our own engine, because {reason}")
    return ours.measure_point(
        target, load, feeds, settings, engine=f"{ours.NAME} ({reason})", on_step=on_step
    )
