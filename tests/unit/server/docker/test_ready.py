"""Why a container ended."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builder.server.docker.log import Follower
from builder.server.docker.ready import ended
from tests.fakes.docker_daemon import FakeDaemon

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
"""When the container was started."""


def said_of(state: dict[str, Any], log: Path, **facts: Any) -> str:
    """Return what is said of a container that has ended."""
    state = {"Status": "exited", "StartedAt": "2026-03-01T12:00:00.987654321Z", "OOMKilled": False, **state}
    fake = FakeDaemon(
        containers={"trb-1": {}},
        facts={"trb-1": {"State": state, "HostConfig": {"Memory": 24 << 20}}},
        **facts,
    )
    with fake.connected() as one:
        container = one.client.containers.get("trb-1")
        return ended(container, Follower(container, log), log).what


@pytest.mark.parametrize(
    "clock",
    [
        "2026-03-01T12:00:05.123456789Z",
        "2026-03-01T14:00:05.123456789+02:00",
        "2026-03-01T07:00:05.123456789-05:00",
    ],
)
def test_memory_that_ran_out_is_found_in_any_time_zone(clock: str, tmp_path: Path) -> None:
    """The daemon is asked for what has happened up to now, by its own clock, and not for what is yet to come."""
    events = [{"Action": "oom", "time": NOON + 3}]

    said = said_of({"ExitCode": 1}, tmp_path / "log", events=events, time=clock)

    assert said.startswith("the container ran out of the 24 MiB that --memory allows")


def test_a_container_that_kept_within_its_memory_is_told_by_its_exit_status(tmp_path: Path) -> None:
    """What ran out of memory before it was started was another one."""
    events = [{"Action": "oom", "time": NOON - 60}]
    clock = "2026-03-01T14:00:05.123456789+02:00"

    said = said_of({"ExitCode": 137}, tmp_path / "log", events=events, time=clock)

    assert said.startswith("the container ended with exit status 137 (somebody killed it)")
