"""What a killed `trb` left behind is removed, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from builder.errors import ServerError
from builder.server.docker.owner import labels
from builder.server.docker.strays import labelled, remove_strays
from tests.fakes.docker_daemon import FakeDaemon

NO_PROCESS = 2**22 + 1
"""Above what Linux gives out."""


def bound(**facts: Any) -> dict[str, str]:
    found = labels(Path("/models"), detached=False)
    return {**found, "trb.owner": json.dumps({**json.loads(found["trb.owner"]), **facts})}


def daemon() -> FakeDaemon:
    return FakeDaemon(
        containers={
            "trb-left": bound(pid=NO_PROCESS),
            "trb-busy": bound(),
            "trb-elsewhere": bound(pid=NO_PROCESS, namespace="pid:[1]"),
            "trb-detached": labels(Path("/models"), detached=True),
            "somebody's": {"trb.repository": "/models"},
        }
    )


def test_only_the_stray_goes() -> None:
    """Containers in use, detached, of another machine or of somebody else stay."""
    fake = daemon()

    with fake.connected() as one:
        removed = remove_strays(one)

    assert [each.name for each in removed] == ["trb-left"]
    assert set(fake.containers) == {*daemon().containers} - {"trb-left"}


def test_each_is_listed_with_what_became_of_it() -> None:
    """By name, with its state and what it serves; somebody else's is not ours."""
    with daemon().connected() as one:
        assert [str(each) for each in labelled(one)] == [
            "trb-busy (in use, of /models)",
            "trb-detached (detached, of /models)",
            "trb-elsewhere (in use, of /models)",
            "trb-left (left behind, of /models)",
        ]


def test_a_stray_that_somebody_else_removes_meanwhile_is_no_matter() -> None:
    """Two who clean at once both succeed."""
    gone = (404, "No such container: trb-left")
    fake = daemon()
    fake.refusals[("DELETE", "/containers/trb-left")] = gone

    with fake.connected() as one:
        assert [each.name for each in remove_strays(one)] == ["trb-left"]


def test_a_stray_that_cannot_be_removed_is_told() -> None:
    """The failure names the container, in the daemon's words."""
    fake = daemon()
    fake.refusals[("DELETE", "/containers/trb-left")] = (500, "driver failed to remove root filesystem")

    with fake.connected() as one, pytest.raises(ServerError) as caught:
        remove_strays(one)

    assert "removing trb-left" in caught.value.what
    assert "driver failed to remove root filesystem" in caught.value.what
