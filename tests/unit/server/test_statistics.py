"""The server's counts are read whole, and subtracted."""

from typing import Any

from builder.server.statistics import Statistics, Timing, read_statistics


def row(**changes: Any) -> dict[str, Any]:
    whole = {
        "name": "m",
        "version": "1",
        "inference_count": 20,
        "execution_count": 4,
        "inference_stats": {"success": {"count": 20, "ns": 4000}, "queue": {"count": 20, "ns": 2000}},
        "batch_stats": [
            {"batch_size": 8, "compute_infer": {"count": 2, "ns": 10}},
            {"batch_size": 2, "compute_infer": {"count": 2, "ns": 10}},
        ],
    }
    return whole | changes


def test_everything_the_server_says_is_read() -> None:
    """Counts, timings and the batch histogram come over; what is left out is zero."""
    found = read_statistics(row())

    assert found.average_batch == 5.0
    assert found.largest_batch == 8
    assert found.queue.mean_us == 0.1
    assert found.compute_infer == Timing(count=0, total_ns=0)


def test_a_model_that_was_never_called_has_no_batches() -> None:
    """A server sends next to nothing before the first request."""
    found = read_statistics({"name": "m", "version": "1"})

    assert found == Statistics()
    assert (found.largest_batch, found.average_batch) == (0, 0.0)


def test_the_difference_holds_only_what_was_added() -> None:
    """A batch size that did not run in between is not in the difference."""
    later = read_statistics(
        row(
            inference_count=25,
            execution_count=5,
            batch_stats=[
                {"batch_size": 8, "compute_infer": {"count": 2}},
                {"batch_size": 2, "compute_infer": {"count": 2}},
                {"batch_size": 5, "compute_infer": {"count": 1}},
            ],
        )
    )

    added = later.since(read_statistics(row()))

    assert (added.inference_count, added.execution_count) == (5, 1)
    assert added.batches == {5: 1}
    assert added.largest_batch == 5
    assert added.success == Timing(count=0, total_ns=0)


def test_a_server_that_began_anew_counts_from_zero() -> None:
    """After a reload the counts are smaller: all of them are new."""
    later = read_statistics(row(inference_count=3, execution_count=3))

    assert later.since(read_statistics(row())) == later
