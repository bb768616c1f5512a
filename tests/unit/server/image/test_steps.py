"""What is told of a build, and what a failure of it means."""

import io
import logging
from pathlib import Path

import pytest

from builder.errors import MissingTool, ServerError
from builder.server.image.steps import Steps, failed

STREAM = (
    {"stream": "Step 1/9 : FROM debian AS python\n"},
    {"stream": " ---> 123\n"},
    {"stream": "Step 2/9 : RUN : install Python;     set -eu\n"},
    {"stream": "\x1b[91mGet:1 http://deb.debian.org\n\x1b[0m"},
    {"stream": "Step 3/9 : ENV A=b\n"},
    {"aux": {"ID": "sha256:abc"}},
)
FIXES = {
    "write /opt/x: no space left on device": "docker system df",
    "exec /bin/sh: exec format error": "linux/amd64",
    "/bin/sh: 1: apt-get: not found": "is no Debian or Ubuntu",
    "E: Failed to fetch http://deb.debian.org/x": "--network host",
    "ERROR: No matching distribution found for torch": "TRB_WHEELS",
}


def follow(*stream: dict[str, object]) -> tuple[str, list[str], str]:
    said: list[str] = []
    log = io.BytesIO()
    built = Steps(said.append, log, logging.getLogger("trb.test")).follow(stream, base="debian")
    return built, said, log.getvalue().decode()


def test_steps_that_take_time_are_told_in_words() -> None:
    """Of a build people see each FROM, COPY and RUN, the latter by what it is for."""
    built, said, _ = follow(*STREAM)

    assert built == "sha256:abc"
    assert said == ["1/9 FROM debian AS python", "2/9 install Python"]


def test_the_log_has_every_line() -> None:
    """Nothing is missing from the log, and no colour is in it."""
    _, _, log = follow(*STREAM)

    assert log.splitlines()[2:4] == [
        "Step 2/9 : RUN : install Python;     set -eu",
        "Get:1 http://deb.debian.org",
    ]


def test_a_log_that_cannot_be_written_is_told_from_a_daemon_that_cannot() -> None:
    """A full disk is named with the file, and what to do."""
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(ServerError, match="No space left on device: /dev/full") as raised,
    ):
        Steps(print, full, logging.getLogger("trb.test")).follow(STREAM, base="debian")
    assert "--log" in raised.value.fix


def test_a_failure_names_its_step_and_its_last_lines() -> None:
    """The step and what it said are shown; the script that it ran is not."""
    error = {"error": "The command '/bin/sh -c set -eu;     do' returned a non-zero code: 7"}

    with pytest.raises(ServerError) as raised:
        follow(*STREAM[:4], {"stream": "it broke\n"}, error)

    assert raised.value.what.splitlines() == [
        "the image could not be built, at step 2/9 install Python:",
        "  Get:1 http://deb.debian.org",
        "  it broke",
        "  exit status 7",
    ]
    assert "--log" in raised.value.fix


@pytest.mark.parametrize("said", FIXES)
def test_a_known_cause_has_its_own_advice(said: str) -> None:
    """What the last lines give away decides the next step."""
    error = failed("2/9 install Python", "exit status 1", [said], "debian")

    assert isinstance(error, MissingTool)
    assert said in error.what
    assert FIXES[said] in error.fix


@pytest.mark.parametrize("step", ["", "1/9 FROM nowhere"])
def test_a_build_that_does_not_begin_has_no_base(step: str) -> None:
    """What fails at FROM, or before, is the base image."""
    error = failed(step, "pull access denied for nowhere", [], "nowhere")

    assert isinstance(error, MissingTool)
    assert "there is no base image nowhere" in error.what
    assert "docker pull nowhere" in error.fix
