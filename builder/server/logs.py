"""Where a server's log is kept, and for how long."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

KEPT: Final = 20
"""Logs in one folder; an older one goes when a server starts."""
_PATTERN: Final = "triton-*.log"


def log_folder(wanted: Path, say: Callable[[str], None]) -> Path:
    """Return `wanted`, with room for one more log, or a temporary folder where nothing can be written there.

    A repository may well lie where it can only be read; `say` is told.

    Raises:
        OSError: the temporary folder cannot be made either.
    """
    folder = wanted.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        instead = Path(tempfile.mkdtemp(prefix="trb-logs-"))
        say(f"{folder} cannot be written ({error.strerror}): the log is in {instead}")
        return instead
    _make_room(folder)
    return folder


def versions_folder(log: Path) -> Path:
    """Return the folder in which the stand-ins of the server that writes `log` say what they run."""
    return log.with_suffix(".versions")


def hold(log: int) -> None:
    """Mark a log, by its file descriptor, as in use for as long as any process has it open."""
    fcntl.flock(log, fcntl.LOCK_SH)


def _make_room(folder: Path) -> None:
    newest_first = sorted(folder.glob(_PATTERN), reverse=True)  # a name begins with its time
    for log in newest_first[KEPT - 1 :]:
        if not _is_held(log):
            shutil.rmtree(versions_folder(log), ignore_errors=True)
            log.unlink(missing_ok=True)


def _is_held(log: Path) -> bool:
    """Return whether a server still writes it: a detached one may be older than many that have ended."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
