"""The files in a model's folder that the core reads itself."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST: Final = 64 << 20
"""Bytes beyond which a file of texts is not counted through."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Those in the folder at `root`, asked by a path as a config names it; see `builder.rules.core.Files`."""

    root: Path

    def size(self, path: str) -> int | None:
        """Return how many bytes the file has; None where there is none."""
        found = self._at(path)
        return found.stat().st_size if found.exists() else None

    def is_folder(self, path: str) -> bool:
        """Return whether a folder stands there."""
        return self._at(path).is_dir()

    def is_inside(self, path: str) -> bool:
        """Return whether `path` leads nowhere outside of the model's folder."""
        root = os.path.realpath(self.root)
        return os.path.commonpath([root, os.path.realpath(self._at(path))]) == root

    def content(self, path: str) -> bytes | None:
        """Return what the file holds; None where that is a lot."""
        found = self._at(path)
        return found.read_bytes() if found.stat().st_size <= _MOST else None

    def _at(self, path: str) -> Path:
        # The server joins by a slash, so that a path with one in front stays inside.
        return self.root / path.lstrip("/")
