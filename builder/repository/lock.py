"""One build at a time."""

import errno
import fcntl
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.errors import RepositoryBusy
from builder.repository.faults import said_plainly
from builder.repository.layout import lock_file


@contextmanager
def lock(repository: Path) -> Iterator[None]:
    """Hold the repository's lock for the block.

    The kernel holds it, not a file's presence: it is free again the moment this process dies, however it dies.
    Programs started meanwhile do not inherit it.

    Raises:
        RepositoryBusy: another build holds it.
        RepositoryError: the folder beside the repository cannot be written.
    """
    path = lock_file(repository)
    with said_plainly(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(held, repository)
        with said_plainly(path.parent):
            _sign(held)
        yield
    finally:
        os.close(held)


def _take(held: int, repository: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        holder = os.pread(held, 4096, 0).decode(errors="replace").strip() or "another process"
        raise RepositoryBusy(
            f"another build is writing {repository}: {holder}", fix="wait until it has ended, or end it"
        ) from None


def _sign(held: int) -> None:
    os.ftruncate(held, 0)
    os.pwrite(held, f"process {os.getpid()}, {shlex.join(sys.argv)}\n".encode(errors="replace"), 0)
