"""Where the time of a pipeline's requests goes: the server's own account of each step."""

import time
from collections.abc import Mapping
from typing import Final

from builder.server.client import Client
from builder.server.statistics import Statistics
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.results import StepTime

Counts = Mapping[str, Statistics]
"""What the server has counted since it started, by step."""
_REST_S: Final = 0.1
"""On a busy machine a thread that has something to count waits its turn for some hundredths of a second."""
_LATEST_S: Final = 1.0


def counts_at_rest(client: Client, wired: Wired) -> Counts:
    """Return what the server has counted of the models that the steps of `wired` run on; use the difference of two.

    A backend counts a request after its answer is out: the counts are read until they stand still, or for a second.

    Raises:
        ServerError: it does not answer, or does not serve one of them.
    """
    give_up = time.monotonic() + _LATEST_S
    found = _counts(client, wired)
    while time.monotonic() < give_up:
        time.sleep(_REST_S)
        earlier, found = found, _counts(client, wired)
        if found == earlier:
            break
    return found


def step_times(wired: Wired, before: Counts, after: Counts) -> tuple[StepTime, ...]:
    """Return what the requests between two readings spent in each step; none where there were none.

    Steps of one model have the same figures, as the server counts by model; requests to a model itself count too.
    """
    added = {step.name: after[step.name].since(before[step.name]) for step in wired.steps}
    spent = {name: (one.queue.mean_us, _compute_us(one)) for name, one in added.items()}
    whole = sum(queue + compute for queue, compute in spent.values())
    if not whole:
        return ()
    return tuple(
        StepTime(
            step=step.name,
            model=step.model,
            requests=added[step.name].success.count,
            queue_us=spent[step.name][0],
            compute_us=spent[step.name][1],
            share=sum(spent[step.name]) / whole,
        )
        for step in wired.steps
    )


def _counts(client: Client, wired: Wired) -> Counts:
    return {step.name: client.statistics(step.model, _version(client, step)) for step in wired.steps}


def _version(client: Client, step: WiredStep) -> int:
    """Return the version that the pipeline runs; where it takes the newest, the newest that is ready."""
    if step.version > 0:
        return step.version
    # One that is not ready has no newest version; asked for by any number, the server says so in its own words.
    return max(client.model_versions_ready(step.model), default=1)


def _compute_us(one: Statistics) -> float:
    return one.compute_input.mean_us + one.compute_infer.mean_us + one.compute_output.mean_us
