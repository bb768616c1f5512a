import pytest

from builder.errors import UsageError
from builder.perf.load import Load, is_budgeted, with_budget
from builder.spec.project import Latency


def test_a_load_says_what_it_is() -> None:
    """The name of a load tells concurrency or rate, and whether arrivals are random."""
    assert str(Load(concurrency=4)) == "concurrency 4"
    assert str(Load(rate=12.5)) == "rate 12.5/s"
    assert str(Load(rate=100.0, arrivals="poisson")) == "rate 100/s poisson"


@pytest.mark.parametrize("wrong", [{}, {"concurrency": 1, "rate": 1.0}, {"concurrency": 0}, {"rate": -1.0}])
def test_a_load_that_sends_nothing_or_two_things_is_refused(wrong: dict[str, int | float]) -> None:
    """Neither or both of concurrency and rate, or none above 0, is an error."""
    with pytest.raises(UsageError):
        Load(**wrong)


def test_a_budget_counts_at_its_own_load_only() -> None:
    """A budget for concurrency 2 and batch 4 does not judge another concurrency, batch or a rate."""
    latency = Latency(p99_ms=1, concurrency=2, batch=4)

    assert is_budgeted(Load(concurrency=2, batch=4, protocol="http"), latency)
    assert not is_budgeted(Load(concurrency=1, batch=4), latency)
    assert not is_budgeted(Load(concurrency=2, batch=1), latency)
    assert not is_budgeted(Load(rate=2.0, batch=4), latency)
    assert not is_budgeted(Load(concurrency=2, batch=4), None)


def test_a_budget_is_measured_even_if_only_other_loads_are_asked_for() -> None:
    """The budget's load is added where it is missing, and not twice."""
    latency = Latency(p99_ms=1, request_rate=50.0)
    asked = (Load(concurrency=8, protocol="http"),)

    assert with_budget(asked, latency, protocol="http", arrivals="constant") == (
        Load(rate=50.0, protocol="http"),
        *asked,
    )
    assert with_budget((Load(rate=50.0, arrivals="poisson"),), latency) == (
        Load(rate=50.0, arrivals="poisson"),
    )
    assert with_budget((), None) == (Load(concurrency=1),)


def test_a_budget_without_further_loads_is_measured_as_asked_for() -> None:
    """Protocol and arrivals are those asked for, also when no concurrency or rate is."""
    rate, closed = Latency(p99_ms=1, request_rate=50.0), Latency(p99_ms=1, concurrency=2, batch=4)

    assert with_budget((), rate, protocol="http", arrivals="poisson") == (
        Load(rate=50.0, arrivals="poisson", protocol="http"),
    )
    assert with_budget((), closed, batch=4, protocol="http") == (
        Load(concurrency=2, batch=4, protocol="http"),
    )


def test_other_rows_than_the_budgets_are_measured_beside_it() -> None:
    """Sixteen rows per request are measured at the budget's concurrency, after the budget's own load."""
    latency = Latency(p99_ms=1, concurrency=2, batch=4)

    assert with_budget((), latency, batch=16) == (
        Load(concurrency=2, batch=4),
        Load(concurrency=2, batch=16),
    )
    assert with_budget((), None, batch=16, protocol="http") == (
        Load(concurrency=1, batch=16, protocol="http"),
    )
