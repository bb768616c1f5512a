"""Other programs end well, or in an error that shows what they said."""

import sys

import pytest

from builder import shell
from builder.errors import CommandFailed, MissingTool


def test_a_program_that_fails_shows_its_status_and_last_lines() -> None:
    """The error names the command, its exit status and the end of both streams, and counts as our bug."""
    script = "import sys; print('out line'); print('err line', file=sys.stderr); sys.exit(3)"

    with pytest.raises(CommandFailed, match="exit status 3") as caught:
        shell.run([sys.executable, "-c", script], timeout_s=30)

    assert "out line" in caught.value.what
    assert "err line" in caught.value.what
    assert caught.value.exit_code == 1


def test_a_program_that_hangs_is_given_up() -> None:
    """A program that does not end is killed at its timeout, also where its exit status does not matter."""
    with pytest.raises(CommandFailed, match="no end after"):
        shell.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.5, check=False)


def test_a_program_that_is_not_there_is_a_missing_tool() -> None:
    """Only a program that this machine lacks ends with the exit code of a missing tool."""
    with pytest.raises(MissingTool, match="no-such-program is not installed") as caught:
        shell.run(["no-such-program"], timeout_s=5)

    assert caught.value.exit_code == 10
