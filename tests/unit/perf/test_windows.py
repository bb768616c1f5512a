import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.perf.windows import Window, are_stable, percentiles, window


def windows(*pairs: tuple[float, float]) -> list[Window]:
    return [Window(throughput=rate, latency_ms={"p99": ms}) for rate, ms in pairs]


def test_percentiles_of_one_to_a_hundred_milliseconds_are_their_ranks() -> None:
    """Of the latencies 1 to 100 ms in any order, p50 is 50, p90 is 90, p95 is 95 and p99 is 99 ms."""
    shuffled = np.random.default_rng(0).permutation(np.arange(1, 101)) * 1_000_000

    assert percentiles(shuffled) == {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "mean": 50.5}


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=300))
def test_a_percentile_is_a_latency_seen_that_its_share_did_not_exceed(latencies: list[int]) -> None:
    """Each percentile is one of the latencies, and at least its share of them is no larger."""
    found = percentiles(np.array(latencies))

    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert found[name] in [one / 1e6 for one in latencies]
        assert sum(one / 1e6 <= found[name] for one in latencies) >= share * len(latencies)
    assert found["p50"] <= found["p90"] <= found["p95"] <= found["p99"]


def test_no_request_has_no_latency() -> None:
    """Without a request every figure is nan, not 0 ms."""
    assert all(math.isnan(value) for value in percentiles(np.array([], dtype=np.int64)).values())


def test_throughput_counts_rows() -> None:
    """Ten requests of 8 rows in two seconds are 40 rows a second."""
    assert window(np.full(10, 5_000_000), seconds=2.0, batch=8).throughput == 40


def test_two_windows_are_never_stable() -> None:
    """Two equal windows are too few."""
    assert not are_stable(windows((100, 5), (100, 5)), watched="p99", within=0.1)


@pytest.mark.parametrize(
    ("last", "stable"),
    [
        ([(100, 5), (105, 5), (110, 5)], True),
        ([(100, 5), (105, 5), (111, 5)], False),
        ([(100, 5.0), (100, 5.4), (100, 5.5)], True),
        ([(100, 5.0), (100, 5.4), (100, 5.6)], False),
        ([(0, 5), (0, 5), (0, 5)], False),
        ([(100, 5), (100, math.nan), (100, 5)], False),
    ],
)
def test_stable_is_within_a_tenth_in_throughput_and_latency(
    last: list[tuple[float, float]], *, stable: bool
) -> None:
    """Three windows are stable if and only if none is idle and both series stay within a tenth."""
    assert are_stable(windows(*last), watched="p99", within=0.1) is stable


def test_only_the_last_three_windows_count() -> None:
    """A wild first window does not spoil three quiet ones."""
    assert are_stable(windows((1, 900), (100, 5), (100, 5), (100, 5)), watched="p99", within=0.1)
