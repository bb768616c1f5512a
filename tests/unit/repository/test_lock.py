"""One build at a time, within a process too."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

import pytest

from builder import repository
from builder.errors import RepositoryBusy


def test_a_second_build_is_refused_and_told_who_holds_the_lock(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the process and its command."""
    import os

    monkeypatch.setattr("sys.argv", ["trb", "build", "a model"])

    with (
        repository.lock(root),
        pytest.raises(RepositoryBusy, match=f"process {os.getpid()}, trb build 'a model'"),
        repository.lock(root),
    ):
        pass


def test_the_lock_is_free_after_the_block_however_it_ended(root: Path) -> None:
    """An exception in a build does not keep the next one out."""
    with pytest.raises(ZeroDivisionError), repository.lock(root):
        raise ZeroDivisionError
    with repository.lock(root):
        pass


def test_two_repositories_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """The lock is the repository's own, beside it."""
    with repository.lock(tmp_path / "one"), repository.lock(tmp_path / "other"):
        assert (tmp_path / ".trb" / "one" / "lock").exists()


def test_of_many_threads_one_at_a_time_publishes(root: Path) -> None:
    """Eight builds at once: each gets in or is refused, and no two are ever inside together."""
    together, inside, most = Barrier(8), [0], [0]
    counting = Lock()

    def build() -> bool:
        together.wait()
        try:
            with repository.lock(root):
                with counting:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with counting:
                    inside[0] -= 1
        except RepositoryBusy:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        entered = list(pool.map(lambda _: build(), range(8)))
    assert any(entered)
    assert most == [1]
