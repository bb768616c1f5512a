"""A container is a stray only where it is certain that its `trb` has ended."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from builder.server.docker.owner import is_from_here, is_stray, labels

NO_PROCESS = 2**22 + 1
"""Above what Linux gives out."""
NAMESPACE = "pid:[4026539999]"


def changed(**facts: Any) -> dict[str, str]:
    """Return labels of a container that this process started, with other facts about its owner."""
    ours = labels(Path("/models"), detached=False)
    return {**ours, "trb.owner": json.dumps({**json.loads(ours["trb.owner"]), **facts})}


def test_a_container_of_this_process_is_no_stray() -> None:
    """Its owner lives."""
    assert not is_stray(labels(Path("/models"), detached=False))


def test_a_container_of_an_ended_process_is_a_stray() -> None:
    """No process has its owner's number."""
    assert is_stray(changed(pid=NO_PROCESS))


def test_a_number_that_another_process_has_now_is_a_stray() -> None:
    """A process of the owner's number that was born at another time is not the owner."""
    boot = json.loads(labels(Path("/models"), detached=False)["trb.owner"])["boot"]

    assert is_stray(changed(born=f"{boot}/1"))
    assert is_stray(changed(pid=os.getppid(), born=f"{boot}/1"))


def test_a_container_of_another_namespace_cannot_be_known() -> None:
    """From inside a container the numbers of processes outside mean nothing."""
    assert not is_stray(changed(pid=NO_PROCESS, namespace=NAMESPACE))


def test_a_container_of_another_machine_cannot_be_known() -> None:
    """A remote daemon has containers of everybody."""
    assert not is_stray(changed(pid=NO_PROCESS, machine="another", boot="another"))
    assert not is_stray(changed(pid=NO_PROCESS, machine="", boot="another"))
    assert not is_stray(changed(pid=NO_PROCESS, host="a clone of it", boot="another"))


def test_a_container_from_before_this_machine_started_anew_is_a_stray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process outlives a restart; a machine without an identity may be any."""
    (tmp_path / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr("builder.server.docker.owner._MACHINE_ID", tmp_path / "machine-id")
    assert is_stray(changed(boot="before", pid=os.getpid()))

    monkeypatch.setattr("builder.server.docker.owner._MACHINE_ID", tmp_path / "absent")
    assert not is_stray(changed(boot="before", pid=os.getpid()))


def test_a_detached_container_is_never_a_stray() -> None:
    """It is meant to outlive its `trb`."""
    ended = changed(pid=NO_PROCESS)

    assert not is_stray({**ended, "trb.server": "detached"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "null",
        "[]",
        "7",
        "{}",
        '{"pid": 1}',
        '{"machine": "", "host": "", "boot": "", "namespace": "", "pid": 1, "born": "", "more": 1}',
        '{"machine": "", "host": "", "boot": "", "namespace": "", "pid": 1, "born": ""}',
    ],
)
def test_a_label_that_we_did_not_write_is_no_stray(text: str) -> None:
    """What cannot be read says nothing of its owner."""
    assert not is_stray({**labels(Path("/models"), detached=False), "trb.owner": text})


@pytest.mark.parametrize("pid", [None, "", "self", "1", 1.5, [], {}])
def test_an_owner_without_a_number_is_no_stray(pid: object) -> None:
    """An owner of this machine whose process has no number cannot be looked for."""
    assert not is_stray(changed(pid=pid))


@pytest.mark.parametrize("found", [{}, {"trb.server": "bound"}, {"trb.server": ""}, {"trb.owner": "{}"}])
def test_a_container_that_lacks_our_labels_is_no_stray(found: dict[str, str]) -> None:
    """Somebody else's container is left alone."""
    assert not is_stray(found)


def test_a_container_is_from_here_whichever_process_made_it() -> None:
    """A detached one is stopped from another process, shell or boot, and never from another machine."""
    assert is_from_here(changed(pid=NO_PROCESS, boot="before", namespace=NAMESPACE))
    assert not is_from_here(changed(machine="another"))
    assert not is_from_here(changed(host="a clone of it"))


@pytest.mark.parametrize("found", [{}, {"trb.server": "detached"}, {"trb.owner": "{}"}, {"trb.owner": "x"}])
def test_a_container_that_lacks_an_owner_is_not_from_here(found: dict[str, str]) -> None:
    """Whose it is cannot be known."""
    assert not is_from_here(found)


def test_the_labels_say_what_is_served() -> None:
    """A detached container is found again by its repository."""
    found = labels(Path("/home/me/models"), detached=True)

    assert found["trb.server"] == "detached"
    assert found["trb.repository"] == "/home/me/models"
