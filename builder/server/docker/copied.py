"""Models on their way into a container: a tar that is written while it is sent."""

import os
import stat
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from builder.errors import ServerError

_CHUNK: Final = 1 << 20
_RUN_MODE: Final = 0o755
"""Of a folder too."""
_READ_MODE: Final = 0o644


def tarred(repository: Path, models: Sequence[str], *, under: str) -> Iterator[bytes]:
    """Yield a tar of `models`, links followed, to be read, and run where it can be here, by whoever the server runs as.

    Args:
        repository: the model repository.
        models: the folders that go.
        under: the folder that they appear in, without a leading slash.

    Raises:
        ServerError: a file cannot be read. An OSError would pass for one of the connection that it is sent through.
    """
    reading, writing = os.pipe()
    problems: list[OSError] = []

    def write() -> None:
        try:
            with os.fdopen(writing, "wb") as sink:
                _write(sink, repository, models, under)
        except BrokenPipeError:
            pass  # the daemon has gone; the reader says so
        except OSError as error:
            problems.append(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    finally:
        thread.join()
    if problems:
        (problem,) = problems
        raise ServerError(
            f"{problem.filename or repository} cannot be copied: {problem.strerror or problem}",
            fix="make it readable, or put back what it leads to",
        ) from problem


def _write(sink: BinaryIO, repository: Path, models: Sequence[str], under: str) -> None:
    with tarfile.open(fileobj=sink, mode="w|", dereference=True, format=tarfile.PAX_FORMAT) as tar:
        root = tarfile.TarInfo(under)
        root.type, root.mode = tarfile.DIRTYPE, _RUN_MODE
        tar.addfile(root)
        for name in models:
            tar.add(repository / name, f"{under}/{name}", filter=_readable)


def _readable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = _RUN_MODE if entry.isdir() or entry.mode & stat.S_IXUSR else _READ_MODE
    return entry
