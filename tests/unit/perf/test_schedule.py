from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.perf.schedule import arrivals

RATES = st.floats(0.1, 10_000)


@given(RATES, st.sampled_from(["constant", "poisson"]), st.integers(0, 2**32))
def test_arrivals_never_go_back_and_start_at_zero_or_later(rate: float, spread: str, seed: int) -> None:
    """Every request is due no earlier than the one before it."""
    moments = list(islice(arrivals(rate, spread, seed=seed), 500))

    assert moments[0] >= 0
    assert all(first <= second for first, second in pairwise(moments))


@given(RATES)
def test_constant_arrivals_are_evenly_spaced(rate: float) -> None:
    """The k-th request of a constant rate is due at k / rate, without drift."""
    assert list(islice(arrivals(rate, "constant"), 3000))[-1] == pytest.approx(2999 / rate)


@given(RATES, st.integers(0, 2**32))
def test_poisson_arrivals_have_the_asked_rate(rate: float, seed: int) -> None:
    """Twenty thousand gaps of a Poisson process have the mean 1 / rate, and that deviation."""
    moments = list(islice(arrivals(rate, "poisson", seed=seed), 20_001))
    gaps = [second - first for first, second in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5

    assert mean * rate == pytest.approx(1, rel=0.04)
    assert deviation * rate == pytest.approx(1, rel=0.08)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    """Two runs are loaded at the same moments; another seed gives others."""
    first, again, other = (list(islice(arrivals(50, "poisson", seed=seed), 50)) for seed in (1, 1, 2))

    assert first == again
    assert first != other
