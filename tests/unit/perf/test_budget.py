from dataclasses import replace

from builder.perf.budget import missed, watched
from builder.perf.windows import Window
from builder.spec.project import Latency
from builder.spec.results import LoadPoint

POINT = LoadPoint(
    load="concurrency 1",
    batch=1,
    protocol="gRPC",
    engine="trb",
    stable=True,
    throughput=100.0,
    p50_ms=5.0,
    p90_ms=8.0,
    p95_ms=9.0,
    p99_ms=10.0,
    mean_ms=5.5,
    requests=600,
    errors=0,
)
UNSTABLE = replace(POINT, stable=False)


def window(*, p99_ms: float, throughput: float = 100.0) -> Window:
    return Window(throughput=throughput, latency_ms={"p99": p99_ms})


def test_a_stable_point_is_judged_by_its_figures() -> None:
    """A stable p99 of 10 ms meets 10 ms although one window was worse, and misses 9.9 ms."""
    assert missed(POINT, [window(p99_ms=30)], Latency(p99_ms=10)) == ()
    assert missed(POINT, [window(p99_ms=9)], Latency(p99_ms=9.9)) == (
        "p99 is 10 ms, over the budget of 9.9 ms",
    )


def test_every_missed_budget_has_its_own_sentence() -> None:
    """Two percentiles and the throughput missed are three sentences."""
    sentences = missed(POINT, [], Latency(p50_ms=1, p90_ms=1, p99_ms=100, throughput_min=200))

    assert sentences == (
        "p50 is 5 ms, over the budget of 1 ms",
        "p90 is 8 ms, over the budget of 1 ms",
        "throughput is 100 rows/s, under the budget of 200 rows/s",
    )


def test_an_unstable_point_passes_if_every_window_meets_the_budget() -> None:
    """Unsteady, but never above the budget: met."""
    assert missed(UNSTABLE, [window(p99_ms=2), window(p99_ms=9)], Latency(p99_ms=10)) == ()


def test_an_unstable_point_fails_by_one_window() -> None:
    """One window above the budget fails a point whose merged figure is below it."""
    (sentence,) = missed(UNSTABLE, [window(p99_ms=2), window(p99_ms=12)], Latency(p99_ms=11))

    assert "not stable" in sentence
    assert "12 ms" in sentence


def test_an_unstable_throughput_fails_by_one_window() -> None:
    """One window below the smallest throughput fails an unstable point."""
    slow = [window(p99_ms=1), window(p99_ms=1, throughput=40)]

    assert "40 rows/s" in missed(UNSTABLE, slow, Latency(throughput_min=90))[0]


def test_an_unstable_point_without_the_windows_figure_fails() -> None:
    """A percentile that no window tells cannot be met by an unstable point."""
    assert missed(UNSTABLE, [window(p99_ms=1)], Latency(p50_ms=1000)) != ()
    assert missed(UNSTABLE, [], Latency(throughput_min=1)) != ()


def test_no_answer_meets_no_budget() -> None:
    """Nothing answered fails any budget and says what the server said."""
    silent = replace(POINT, requests=0, errors=9, first_error="INTERNAL: out of memory")

    assert missed(silent, [], Latency(p99_ms=1e9)) == (
        "no request was answered, so no budget is met: INTERNAL: out of memory",
    )


def test_the_highest_budgeted_percentile_has_to_be_stable() -> None:
    """Stability is asked of the highest percentile with a budget, and of the median without one."""
    assert watched(Latency(p50_ms=1, p95_ms=1)) == "p95"
    assert watched(Latency(throughput_min=1)) == "p50"
    assert watched(None) == "p50"
