"""Cache folders are whole, or made again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import MissingTool
from builder.server.embedded.cache import cache_root, is_whole, whole_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "program").write_bytes(b"the whole program")
    (folder / "data").write_bytes(b"some data")


def never(folder: Path) -> None:
    pytest.fail("it was made again")


def truncate(folder: Path) -> None:
    (folder / "sub" / "program").write_bytes(b"the wh")


def same_size(folder: Path) -> None:
    (folder / "sub" / "program").write_bytes(b"THE WHOLE PROGRAM")


def remove(folder: Path) -> None:
    (folder / "data").unlink()


def break_marker(folder: Path) -> None:
    next(folder.glob(".*.json")).write_text("{half")


def test_a_whole_folder_is_not_made_again() -> None:
    """A second call takes the folder as it is."""
    first = whole_folder("it", fill)

    assert whole_folder("it", never) == first
    assert (first / "data").read_bytes() == b"some data"


@pytest.mark.parametrize("damage", [truncate, same_size, remove, break_marker])
def test_a_damaged_folder_is_made_again(damage: Callable[[Path], None]) -> None:
    """A truncated, changed or missing file, and a broken marker, each lead to a new, whole folder."""
    folder = whole_folder("it", fill)
    damage(folder)
    assert not is_whole(folder)

    assert whole_folder("it", fill) == folder
    assert (folder / "sub" / "program").read_bytes() == b"the whole program"
    assert (folder / "data").read_bytes() == b"some data"


def test_a_copied_folder_is_whole(cache: Path) -> None:
    """New modification times with the same bytes are no damage."""
    folder = whole_folder("it", fill)
    data = (folder / "data").read_bytes()
    (folder / "data").unlink()
    (folder / "data").write_bytes(data)

    assert is_whole(folder)


def test_a_failed_fill_leaves_nothing(cache: Path) -> None:
    """A filling that raises leaves neither the folder nor its half beside it."""

    def fail(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise MissingTool("no network")

    with pytest.raises(MissingTool, match="no network"):
        whole_folder("it", fail)

    assert [path.name for path in cache.iterdir()] == [".it.lock"]


def test_what_a_killed_process_left_is_cleaned_up(cache: Path) -> None:
    """The half-made folder of a process that was killed is gone after the next making."""
    left = cache / ".it.aside-dead"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")

    whole_folder("it", fill)

    assert not left.exists()


def test_a_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache below a plain file is an error that names TRB_CACHE as the way out."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "file" / "cache"))

    with pytest.raises(MissingTool, match="cannot be written") as caught:
        whole_folder("it", fill)

    assert "TRB_CACHE" in caught.value.fix


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TRB_CACHE wins over XDG_CACHE_HOME, which wins over the home folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "cache"

    monkeypatch.delenv("TRB_CACHE")
    assert cache_root() == tmp_path / "xdg" / "trb"

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "trb"
