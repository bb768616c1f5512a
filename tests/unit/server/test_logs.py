"""Logs of servers are kept where they can be, and not for ever."""

from pathlib import Path

import pytest

from builder.server.logs import KEPT, log_folder, versions_folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_newest_logs_stay_and_older_ones_make_room(tmp_path: Path) -> None:
    """Of more logs than are kept the newest stay, one less than that; no other file is touched."""
    stamps = [f"triton-20260101-{number:06d}-8000" for number in range(KEPT + 5)]
    for stamp in stamps:
        log = tmp_path / f"{stamp}.log"
        log.touch()
        versions_folder(log).mkdir()
        (versions_folder(log) / "pytorch.json").touch()
    (tmp_path / "build-digits.log").touch()

    log_folder(tmp_path, say=pytest.fail)

    kept = stamps[-(KEPT - 1) :]
    assert names(tmp_path) == {f"{stamp}{end}" for stamp in kept for end in (".log", ".versions")} | {
        "build-digits.log"
    }


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    """The folder is made with its parents, and left empty."""
    folder = log_folder(tmp_path / "a" / "b", say=pytest.fail)

    assert folder == tmp_path / "a" / "b"
    assert names(folder) == set()


def test_where_nothing_can_be_written_a_temporary_folder_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a plain file there is no place: the log goes elsewhere, and the user is told both places."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    said: list[str] = []

    folder = log_folder(tmp_path / "file" / "logs", said.append)

    assert folder.is_dir()
    assert folder.parent == tmp_path
    assert len(said) == 1
    assert str(tmp_path / "file" / "logs") in said[0]
    assert str(folder) in said[0]
