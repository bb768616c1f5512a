"""Folders made once per machine: whole or not there, and repaired when damaged."""

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from builder.errors import MissingTool
from builder.spec.hashing import file_sha256

_MARKER: Final = ".whole.json"


def cache_root() -> Path:
    """Return the cache folder: TRB_CACHE, else XDG_CACHE_HOME/trb, else ~/.cache/trb."""
    if own := os.environ.get("TRB_CACHE"):
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "trb"


def whole_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache's folder `name`, calling `fill` on an empty one where it is absent or damaged.

    It appears by one rename, after everything in it; two processes at once make it once.

    Raises:
        MissingTool: the cache cannot be written.
    """
    final = cache_root() / name
    if is_whole(final):
        return final
    with _readable_errors(final), _locked(final):
        if not is_whole(final):  # else another process made it while this one waited
            _make(final, fill)
    return final


def is_whole(folder: Path) -> bool:
    """Return whether every file of `folder` is there as it was made."""
    try:
        files = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all(_is_unchanged(folder / path, *facts) for path, facts in files.items())


def _is_unchanged(path: Path, size: int, modified_ns: int, sha256: str) -> bool:
    try:
        now = path.stat()
    except OSError:
        return False
    # A copied cache has new times and the same bytes: only then is the hash worth its seconds.
    return now.st_size == size and (now.st_mtime_ns == modified_ns or file_sha256(path) == sha256)


def _make(final: Path, fill: Callable[[Path], None]) -> None:
    for left_behind in final.parent.glob(f".{final.name}.aside-*"):  # by a process that was killed here
        shutil.rmtree(left_behind)
    aside = Path(tempfile.mkdtemp(prefix=f".{final.name}.aside-", dir=final.parent))
    aside.chmod(0o755)  # a cache may be shared
    try:
        fill(aside)
        (aside / _MARKER).write_text(json.dumps(_contents(aside)), encoding="utf-8")
        if final.exists():
            shutil.rmtree(final)
        aside.rename(final)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _contents(folder: Path) -> dict[str, tuple[int, int, str]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns, file_sha256(path))
        for path in files
    }


@contextmanager
def _locked(final: Path) -> Iterator[None]:
    final.parent.mkdir(parents=True, exist_ok=True)
    with (final.parent / f".{final.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _readable_errors(final: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise MissingTool(
                f"the disk is full: {final.parent}",
                fix="free some space, or set TRB_CACHE to a folder with more",
            ) from error
        raise MissingTool(
            f"the cache {final.parent} cannot be written: {error.strerror or error}",
            fix="set TRB_CACHE to a folder of yours",
        ) from error
