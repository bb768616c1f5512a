from pathlib import Path

import pytest

from builder.perf import nvidia_output
from builder.perf.load import Load
from builder.spec.results import ServerSplit

RECORDED = Path(__file__).parents[2] / "data" / "perf_analyzer"


def recorded(name: str) -> tuple[str, str]:
    return (RECORDED / f"{name}.csv").read_text(), (RECORDED / f"{name}.txt").read_text()


def test_every_figure_of_a_level_is_read() -> None:
    """The recorded run at concurrency 2 with batch 2 gives its percentiles, counts and split."""
    row = nvidia_output.row(*recorded("concurrency_2"), Load(concurrency=2, batch=2))

    assert row is not None
    assert row.throughput == 4401.94
    assert row.latency_ms == {"p50": 0.822, "p90": 1.069, "p95": 1.170, "p99": 2.040, "mean": 0.890}
    assert row.requests == 4249
    assert row.split == ServerSplit(
        queue_us=154,
        compute_input_us=28,
        compute_infer_us=251,
        compute_output_us=107,
        average_batch=8500 / 3854,
    )


def test_a_request_rate_has_its_own_column() -> None:
    """The recorded run at 200.5 requests a second is found by its rate."""
    row = nvidia_output.row(*recorded("rate_200.5"), Load(rate=200.5, arrivals="poisson"))

    assert row is not None
    assert row.latency_ms["p99"] == 5.546


@pytest.mark.parametrize("load", [Load(concurrency=3), Load(rate=2.0)])
def test_a_level_that_was_dropped_has_no_row(load: Load) -> None:
    """A level that is not in the file is not taken from another row."""
    assert nvidia_output.row(*recorded("concurrency_2"), load) is None


def test_the_windows_of_an_unstable_run_are_read() -> None:
    """perf_analyzer writes no table for an unstable level; its four windows are still known."""
    found = nvidia_output.windows((RECORDED / "unstable.txt").read_text())

    assert [one.throughput for one in found] == [1178.71, 1350.13, 1424.29, 1411.73]
    assert [one.latency_ms for one in found] == [
        {"p99": 5.130},
        {"p99": 5.038},
        {"p99": 4.064},
        {"p99": 4.605},
    ]


def test_requests_of_a_server_that_does_not_batch_are_counted_in_rows() -> None:
    """Where one inference is 4 rows, the throughput of rows is four times as large."""
    row = nvidia_output.row(*recorded("concurrency_2"), Load(concurrency=2, batch=4), rows=4)
    first, *_ = nvidia_output.windows(recorded("concurrency_2")[1], rows=4)

    assert row is not None
    assert row.throughput == pytest.approx(4 * 4401.94)
    assert first.throughput == pytest.approx(4 * 4508.57)
