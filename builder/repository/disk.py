"""The writes behind a publication. Each is one step after which the process may be killed."""

import ctypes
import errno
import os
import shutil
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_NO_EXCHANGE: Final = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def write_text(path: Path, text: str) -> None:
    """Write a new file."""
    path.write_text(text, encoding="utf-8", newline="\n")


def move(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that is free."""
    source.rename(target)


def link_tree(source: Path, target: Path) -> None:
    """Make `target` a folder with the same files as `source`: hard links, and folders as old as the originals.

    Raises:
        RepositoryError: the filesystem has no hard links.
    """
    target.mkdir()
    for entry in sorted(source.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            link_tree(entry, target / entry.name)
        else:
            link(entry, target / entry.name)
    shutil.copystat(source, target)  # Triton loads a version again when its folder looks newer


def link(source: Path, target: Path) -> None:
    """Give a file a second name.

    Raises:
        RepositoryError: the filesystem has no hard links.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise _apart(source, target) from error
        if error.errno not in _NO_LINKS:
            raise
        raise RepositoryError(
            f"{source} cannot be hard-linked: {error.strerror}; a new version takes the older ones along as links",
            fix="put `repository` on a filesystem with hard links (ext4, xfs, btrfs, tmpfs), and own its files",
        ) from error


def exchange(one: Path, other: Path) -> None:
    """Let two folders swap their names in one step that nothing can interrupt.

    Raises:
        RepositoryError: the filesystem cannot.
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        raise _no_exchange(other, "this system has no renameat2") from None
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    if renameat2(*names, _RENAME_EXCHANGE) == 0:
        return
    number = ctypes.get_errno()
    if number == errno.EXDEV:
        raise _apart(one, other)
    if number in _NO_EXCHANGE:
        raise _no_exchange(other, os.strerror(number))
    raise OSError(number, os.strerror(number), str(other))


def keep(path: Path) -> None:
    """Wait until a file or folder is on the disk itself."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def keep_tree(folder: Path) -> None:
    """Wait until a folder and all in it are on the disk itself."""
    for path in sorted(folder.rglob("*")):
        if not path.is_symlink():
            keep(path)
    keep(folder)


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it; what is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _no_exchange(path: Path, reason: str) -> RepositoryError:
    return RepositoryError(
        f"{path} cannot be replaced in one step: its filesystem has no atomic exchange (RENAME_EXCHANGE): {reason}",
        fix="put `repository` on ext4, xfs, btrfs or tmpfs",
    )


def _apart(one: Path, other: Path) -> RepositoryError:
    return RepositoryError(
        f"{one} and {other} are on different filesystems",
        fix="let the repository and the `.trb` folder beside it be on one filesystem; neither may be a mount or a link",
    )
