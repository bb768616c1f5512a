"""Each finding of the doctor says what is there, or how to get it."""

import importlib.metadata
from pathlib import Path

import pytest

from builder.errors import MissingTool
from builder.server import machine
from builder.server.embedded.cache import whole_folder


def test_a_package_that_is_absent_comes_with_the_command() -> None:
    """The fix is a command that can be pasted."""
    finding = machine.package("no-such-package", (2, 9))

    assert finding.state == "missing"
    assert "-m pip install 'no-such-package>=2.9'" in finding.fix


@pytest.mark.parametrize(
    ("version", "state"), [("2.8.1", "missing"), ("2.9.0", "ok"), ("2.10.0+cpu", "ok"), ("3.0", "ok")]
)
def test_versions_are_compared_as_numbers(version: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.10 is newer than 2.9."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)

    assert machine.package("torch", (2, 9)).state == state


def test_a_machine_that_does_not_fit_shows_the_error_of_a_start() -> None:
    """The doctor says of the machine what a start would say."""
    finding = machine.host_fact("glibc", lambda: MissingTool("too old", fix="upgrade"))

    assert (finding.state, finding.detail, finding.fix) == ("missing", "too old", "upgrade")


def test_a_damaged_cache_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A changed file in the cache is a warning that names the folder."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path))
    folder = whole_folder("it-1.0", lambda made: (made / "file").write_bytes(b"1") and None)
    assert machine.cache().state == "ok"

    (folder / "file").write_bytes(b"22")

    assert machine.cache().state == "warn"
    assert "it-1.0" in machine.cache().detail


@pytest.mark.parametrize("has_wheel", [True, False])
def test_the_server_may_come_from_a_folder_of_wheels(
    has_wheel: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With TRB_WHEELS the folder decides, without asking the network."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TRB_WHEELS", str(tmp_path))
    if has_wheel:
        (tmp_path / "nvidia_pytriton-0.7.0-py3-none-manylinux_2_35_x86_64.whl").touch()

    assert machine.embedded_server().state == ("ok" if has_wheel else "missing")
