"""What a measurement will do, decided and checked before there is a server."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from builder.perf.inputs import Wish, inputs
from builder.perf.load import Load
from builder.perf.requests import requests
from builder.perf.settings import Engine, Settings
from builder.spec.loaded import Feed
from builder.spec.project import Latency, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of one model's measurement but the server."""

    work: tuple[tuple[Load, tuple[Feed, ...]], ...]
    """Each level of load with the whole requests that it sends in turn."""

    input_data: str
    """Where the requests came from, for the report."""

    latency: Latency | None = None
    """The budget; it is judged at the loads it is meant for."""

    engine: Engine = "auto"
    """auto takes perf_analyzer where it can measure what is asked, else ours, and says why."""

    settings: Settings = field(default_factory=Settings)
    """Windows, warm-up and stability."""


def plan(
    model: Model,
    samples: Feed | None,
    wish: Wish,
    loads: Sequence[Load],
    *,
    engine: Engine = "auto",
    settings: Settings | None = None,
) -> Plan:
    """Read the inputs and put them together to the requests of every load.

    Args:
        model: the spec's entry.
        samples: its samples, if it has some.
        wish: what the user wants sent.
        loads: the levels, as `with_budget` gives them.
        engine: what makes the load.
        settings: how long and how strictly to measure.

    Raises:
        UsageError: the inputs cannot be read, do not fit, or cannot be put to requests of a load.
    """
    feeds, input_data = inputs(model, samples, wish)
    return Plan(
        work=tuple((load, requests(model, feeds, load.batch)) for load in loads),
        input_data=input_data,
        latency=model.latency,
        engine=engine,
        settings=settings or Settings(),
    )
