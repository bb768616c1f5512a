"""One level of load."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from builder.errors import UsageError
from builder.spec.project import Latency

Protocol = Literal["grpc", "http"]
Arrivals = Literal["constant", "poisson"]

PROTOCOLS: Final = {"grpc": "gRPC", "http": "HTTP"}
"""As people write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How hard a model is driven: requests in flight (closed loop), or requests per second (open loop)."""

    concurrency: int | None = None
    """Requests in flight at every moment."""

    rate: float | None = None
    """Requests per second, sent whether or not earlier ones were answered."""

    arrivals: Arrivals = "constant"
    """How the requests of a rate are spread in time."""

    batch: int = 1
    """Rows per request."""

    protocol: Protocol = "grpc"

    def __post_init__(self) -> None:
        if (self.concurrency is None) == (self.rate is None):
            raise UsageError("a load is a concurrency or a request rate", fix="give one of the two")
        for what, value in (
            ("concurrency", self.concurrency),
            ("request rate", self.rate),
            ("batch", self.batch),
        ):
            if value is not None and value <= 0:
                raise UsageError(f"a {what} of {value:g} sends nothing", fix=f"give a {what} above 0")

    def __str__(self) -> str:
        if self.rate is None:
            return f"concurrency {self.concurrency}"
        return f"rate {self.rate:g}/s" + (" poisson" if self.arrivals == "poisson" else "")


def with_budget(
    loads: Sequence[Load],
    latency: Latency | None,
    *,
    batch: int | None = None,
    protocol: Protocol = "grpc",
    arrivals: Arrivals = "poisson",
) -> tuple[Load, ...]:
    """Return `loads`, the budget's own first where it is missing, so that a budget is always judged.

    Args:
        loads: the levels asked for; without any, the budget's level at `batch` rows, else one request at a time.
        latency: the budget.
        batch: rows per request that were asked for; None: the budget's, else 1.
        protocol: how the requests of an added load travel.
        arrivals: how they are spread in time, where the budget is for a rate.
    """
    if latency is None:
        return tuple(loads) or (Load(concurrency=1, batch=batch or 1, protocol=protocol),)
    budget = _budget_load(latency, protocol, arrivals)
    asked = tuple(loads) or (replace(budget, batch=batch or budget.batch),)
    return asked if any(is_budgeted(load, latency) for load in asked) else (budget, *asked)


def _budget_load(latency: Latency, protocol: Protocol, arrivals: Arrivals) -> Load:
    if latency.request_rate is not None:
        return Load(rate=latency.request_rate, arrivals=arrivals, batch=latency.batch, protocol=protocol)
    return Load(concurrency=latency.concurrency, batch=latency.batch, protocol=protocol)


def is_budgeted(load: Load, latency: Latency | None) -> bool:
    """Whether the budget is meant for `load`; the protocol and the spread of a rate do not matter."""
    if latency is None or load.batch != latency.batch:
        return False
    if latency.request_rate is not None:
        return load.rate == latency.request_rate
    return load.concurrency == latency.concurrency
