"""Files that people may have edited: nothing of theirs is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.deploy import write
from builder.errors import UsageError

FILES = {"compose.yaml": "a\n", "grafana/dashboards/models.json": "{}\n"}


@pytest.fixture
def private() -> Iterator[None]:
    """A umask that keeps files from everybody else."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_files_are_written_where_there_were_none(tmp_path: Path) -> None:
    """Every file appears with its text, missing folders are made, nothing else is left."""
    changes = write(FILES, tmp_path / "a" / "docker", force=False)

    folder = tmp_path / "a" / "docker"
    assert changes.written == tuple(FILES)
    assert {
        str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()
    } == FILES


def test_what_is_there_with_the_same_bytes_is_left_alone(tmp_path: Path) -> None:
    """Writing again changes no file, not even its time."""
    write(FILES, tmp_path, force=False)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in FILES}

    changes = write(FILES, tmp_path, force=False)

    assert (changes.written, changes.kept) == ((), tuple(FILES))
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in FILES} == before


def test_an_edited_file_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    """One file with another content keeps all others from being written."""
    (tmp_path / "compose.yaml").write_text("mine\n")

    with pytest.raises(UsageError, match=r"another content: compose\.yaml") as raised:
        write(FILES, tmp_path, force=False)

    assert "--force" in raised.value.fix
    assert "compose.override.yaml" in raised.value.fix
    assert [path.name for path in tmp_path.iterdir()] == ["compose.yaml"]
    assert (tmp_path / "compose.yaml").read_text() == "mine\n"


def test_force_replaces_an_edited_file(tmp_path: Path) -> None:
    """With force the file has the new text, and other files of the folder stay."""
    (tmp_path / "compose.yaml").write_text("mine\n")
    (tmp_path / "compose.override.yaml").write_text("mine\n")

    write(FILES, tmp_path, force=True)

    assert (tmp_path / "compose.yaml").read_text() == "a\n"
    assert (tmp_path / "compose.override.yaml").read_text() == "mine\n"


@pytest.mark.usefixtures("private")
def test_the_users_of_the_containers_can_read_them(tmp_path: Path) -> None:
    """Files and new folders are readable by all, whatever the umask."""
    write(FILES, tmp_path / "docker", force=False)

    assert (tmp_path / "docker" / "compose.yaml").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "docker" / "grafana" / "dashboards").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_that_is_a_file_is_a_mistake(tmp_path: Path, force: bool) -> None:
    """An --out that is a file is named, and stays as it was."""
    (tmp_path / "docker").write_text("a file")

    with pytest.raises(UsageError, match=r"docker.* cannot be written") as raised:
        write(FILES, tmp_path / "docker", force=force)

    assert "--out" in raised.value.fix
    assert (tmp_path / "docker").read_text() == "a file"


def test_a_file_that_is_a_folder_is_a_mistake(tmp_path: Path) -> None:
    """A folder in the place of a file is named."""
    (tmp_path / "compose.yaml").mkdir()

    with pytest.raises(UsageError, match=r"compose\.yaml cannot be written"):
        write(FILES, tmp_path, force=True)
