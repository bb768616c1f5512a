"""What stands in a model's folder, and which parts of it Triton takes for versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONFIG: Final = "config.pbtxt"
RESERVED: Final = ("configs", "initial_state", "warmup")
"""Subfolders that Triton never takes for versions."""
_LEADING_INTEGER: Final = re.compile(r"\s*([+-]?\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A model's folder, its files not read yet."""

    path: Path
    files: tuple[str, ...]
    """The names of what is no folder, in order."""
    folders: tuple[str, ...]
    """The names of its subfolders, in order."""

    @property
    def name(self) -> str:
        """The folder's name, which is the model's."""
        return self.path.name

    @property
    def config_path(self) -> Path | None:
        """Its config.pbtxt, whatever stands there; None where nothing does."""
        return self.path / CONFIG if CONFIG in (*self.files, *self.folders) else None

    @property
    def versions(self) -> Mapping[int, str]:
        """The subfolder of each version, as Triton reads their names, oldest first."""
        found = {version_of(name): name for name in reversed(self.folders)}
        return {version: found[version] for version in sorted(v for v in found if v is not None)}


def look(path: Path) -> Folder:
    """Return what stands in the folder at `path`.

    Raises:
        OSError: it cannot be listed.
    """
    files: list[str] = []
    folders: list[str] = []
    for entry in sorted(path.iterdir()):
        (folders if entry.is_dir() else files).append(entry.name)
    return Folder(path=path, files=tuple(files), folders=tuple(folders))


def version_of(name: str) -> int | None:
    """Return the version that Triton makes of a subfolder's `name`; None where it ignores it.

    It reads the digits at the start, as C's stoll does, so that `5.tmp` is version 5; `01` and `v1` are ignored.
    """
    if name in RESERVED or (name.startswith("0") and len(name) > 1):
        return None
    found = _LEADING_INTEGER.match(name)
    return int(found[1]) if found else None
