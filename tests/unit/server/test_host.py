"""A machine that cannot run the embedded server is told why, and which door remains."""

import platform
import sys
from pathlib import Path

import pytest

from builder.errors import MissingTool
from builder.server.embedded import host


def test_another_system_is_pointed_to_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac the error names what was found and the door that remains."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")

    with pytest.raises(MissingTool, match="this is Darwin arm64") as caught:
        host.require_host()

    assert "--server" in caught.value.fix
    assert caught.value.exit_code == 10


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        (("glibc", "2.35"), True),
        (("glibc", "2.36"), True),
        (("glibc", "2.31"), False),
        (("glibc", "3.0"), True),
        (("", ""), False),
    ],
)
def test_glibc_is_compared_as_numbers(
    found: tuple[str, str], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.35 and newer fit, older ones and other C libraries do not."""
    monkeypatch.setattr(platform, "libc_ver", lambda: found)

    assert (host.glibc_problem() is None) == fits


@pytest.mark.parametrize(
    ("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 12), True), ((3, 13), False)]
)
def test_python_needs_a_wheel_of_numpy_1(
    version: tuple[int, int], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 and 3.12 fit, no other."""
    monkeypatch.setattr(sys, "version_info", (*version, 1, "final", 0))

    assert (host.python_problem() is None) == fits


def test_shared_memory_that_is_absent_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without /dev/shm the fix is Docker's option and the remount."""
    monkeypatch.setattr(host, "SHM", tmp_path / "absent")

    problem = host.shm_problem()

    assert problem is not None
    assert "--shm-size" in problem.fix
