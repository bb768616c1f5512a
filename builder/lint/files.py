"""The files in a model's folder that the core reads itself."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST: Final = 64 << 20
"""Bytes beyond which a file of texts is not counted through."""
_ABSENT: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Those in the folder at `root`, asked by a path as a config names it; see `builder.rules.core.Files`."""

    root: Path

    def size(self, path: str) -> int | None:
        """Return how many bytes the file has; None where there is none."""
        found = self._stat(path)
        return found.st_size if found else None

    def is_folder(self, path: str) -> bool:
        """Return whether a folder stands there."""
        found = self._stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def is_inside(self, path: str) -> bool:
        """Return whether `path` leads nowhere outside of the model's folder."""
        if self._stat(path) is None:
            return True
        root = os.path.realpath(self.root)
        return os.path.commonpath([root, os.path.realpath(self._at(path))]) == root

    def content(self, path: str) -> bytes | None:
        """Return what the file holds; None where that is a lot, or where it is none but a pipe."""
        found = self._stat(path)
        is_read = found is not None and stat.S_ISREG(found.st_mode) and found.st_size <= _MOST
        return self._at(path).read_bytes() if is_read else None

    def _at(self, path: str) -> Path:
        # The server joins by a slash, so that a path with one in front stays inside.
        return self.root / path.lstrip("/")

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            return self._at(path).stat()
        except ValueError:  # a zero byte, which no path can have
            return None
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise
