"""What the operating system refuses, said so that it can be put right."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_BYTES: Final = 1_000_000
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def said_plainly(place: Path, *, needed_bytes: int = 0) -> Iterator[None]:
    """Turn an OSError of the block, which writes below `place`, into a RepositoryError.

    Args:
        place: the folder that is written; it need not exist.
        needed_bytes: what the block has to write, for the message about a full disk.

    Raises:
        RepositoryError: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise explained(error, place, needed_bytes) from error


def explained(error: OSError, place: Path, needed_bytes: int = 0) -> RepositoryError:
    """Return the error to raise instead of `error`, which happened while `place` was written."""
    if error.errno in _FULL:
        free = _size(shutil.disk_usage(_existing(place)).free)
        needed = f"{_size(needed_bytes)} are needed, " if needed_bytes else ""
        return RepositoryError(
            f"the disk of {place} is full: {needed}{free} are free; the repository is as it was",
            fix="free some space, or put `repository` on another disk",
        )
    reason = error.strerror or str(error)
    at = error.filename or place
    if error.errno in _FORBIDDEN:
        return RepositoryError(
            f"{at} cannot be written: {reason}",
            fix="make the repository and the folder around it writable, or choose another `repository`",
        )
    return RepositoryError(f"{at} cannot be written: {reason}")


def out_of_room(place: Path) -> RepositoryError | None:
    """Return the error to raise where a library failed while it wrote `place` and the disk has no room left.

    Libraries say so each in its own words, if at all. None: there is room.
    """
    if shutil.disk_usage(_existing(place)).free > _NO_ROOM_BYTES:
        return None
    return explained(OSError(errno.ENOSPC, "No space left on device"), place)


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004 - the step from one unit to the next
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
