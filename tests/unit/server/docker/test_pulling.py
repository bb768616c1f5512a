"""A pull of many layers is one line that moves now and then."""

from collections.abc import Mapping
from typing import Any

from builder.server.docker.pulling import progress

MB = 1_000_000


def downloading(layer: str, current: int, total: int) -> Mapping[str, Any]:
    return {
        "id": layer,
        "status": "Downloading",
        "progressDetail": {"current": current, "total": total},
        "progress": "[=>    ]",
    }


def of(layer: str, status: str) -> Mapping[str, Any]:
    return {"id": layer, "status": status, "progressDetail": {}}


def test_each_twentieth_is_a_line_however_many_events_come() -> None:
    """A thousand events of one layer are twenty-one lines, from none to all."""
    lines = list(progress(downloading("a", done * MB, 1000 * MB) for done in range(1001)))

    assert len(lines) == 21
    assert lines[0] == f"{'░' * 20} 0 % of 1,000 MB"
    assert lines[10] == f"{'█' * 10}{'░' * 10} 50 % of 1,000 MB"
    assert lines[-1] == f"{'█' * 20} 100 % of 1,000 MB"


def test_a_layer_that_is_there_already_counts_for_nothing() -> None:
    """What need not be downloaded is in no total, and a pull of nothing else says nothing."""
    there = [
        {"status": "Pulling from nvidia/tritonserver", "id": "24.10-py3"},
        of("a", "Already exists"),
        of("b", "Already exists"),
    ]

    assert list(progress(there)) == []
    assert list(progress([*there, downloading("c", 5 * MB, 10 * MB)])) == [
        f"{'█' * 10}{'░' * 10} 50 % of 10 MB"
    ]


def test_the_total_is_of_all_layers_heard_of_so_far() -> None:
    """A layer that begins later makes the total larger and the part that is done smaller."""
    events = [
        downloading("a", 10 * MB, 10 * MB),
        downloading("b", 0, 30 * MB),
        downloading("b", 30 * MB, 30 * MB),
    ]

    assert [line.split(" ", 1)[1] for line in progress(events)] == [
        "100 % of 10 MB",
        "25 % of 40 MB",
        "100 % of 40 MB",
    ]


def test_a_layer_is_whole_once_the_daemon_says_so() -> None:
    """The daemon does not report the last bytes of a layer; that it is complete says as much."""
    events = [
        of("a", "Pulling fs layer"),
        of("a", "Waiting"),
        downloading("a", 3 * MB, 10 * MB),
        of("a", "Verifying Checksum"),
        of("a", "Download complete"),
        {"id": "a", "status": "Extracting", "progressDetail": {"current": 1, "total": 10 * MB}},
        of("a", "Pull complete"),
        {"status": "Digest: sha256:0123"},
        {"status": "Status: Downloaded newer image for nvcr.io/nvidia/tritonserver:24.10-py3"},
    ]

    assert [line.split(" ", 1)[1] for line in progress(events)] == ["30 % of 10 MB", "100 % of 10 MB"]


def test_a_layer_of_unknown_size_is_left_out() -> None:
    """A registry that does not tell the size of a layer is no division by nothing."""
    events = [
        {"id": "a", "status": "Downloading", "progressDetail": {"current": 5}},
        {"id": "a", "status": "Downloading"},
        of("a", "Download complete"),
    ]

    assert list(progress(events)) == []
