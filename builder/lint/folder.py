"""What stands in a model's folder, and which parts of it Triton takes for versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError

CONFIG: Final = "config.pbtxt"
RESERVED: Final = ("configs", "initial_state", "warmup")
"""Subfolders that Triton never takes for versions."""
LARGEST: Final = 2**63 - 1
"""A version beyond it ends the server that reads it."""
_LEADING_INTEGER: Final = re.compile(r"\s*([+-]?\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A model's folder, its files not read yet."""

    path: Path
    files: tuple[str, ...]
    """The names of what is no folder, in order."""
    folders: tuple[str, ...]
    """The names of its subfolders, in order."""
    dangling: tuple[str, ...] = ()
    """Those among the files that are links to nowhere."""

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
        """The folder in which the server looks for the files of each version that it sees, oldest first.

        It writes the number anew: for the folder `5.tmp` it looks in `5`.
        """
        read = (version_of(name) for name in self.folders)
        found = {version for version in read if version is not None and -LARGEST - 1 <= version <= LARGEST}
        # A backend is told the number without its sign, in 64 bits.
        return {version: str(version % 2**64) for version in sorted(found)}

    @property
    def first(self) -> Path | None:
        """The subfolder in which the server looks for a file that tells the backend."""
        return self.path / self.folders[0] if self.folders else None


def look(path: Path) -> Folder:
    """Return what stands in the folder at `path`.

    Raises:
        OSError: it cannot be listed.
    """
    files: list[str] = []
    folders: list[str] = []
    dangling: list[str] = []
    for entry in sorted(path.iterdir()):
        (folders if entry.is_dir() else files).append(entry.name)
        if is_dangling(entry):
            dangling.append(entry.name)
    return Folder(path=path, files=tuple(files), folders=tuple(folders), dangling=tuple(dangling))


def is_dangling(path: Path) -> bool:
    """Return whether a link leads nowhere, or in a circle."""
    return path.is_symlink() and not path.exists()


def version_of(name: str) -> int | None:
    """Return the version that Triton makes of a subfolder's `name`; None where it ignores it.

    It reads the digits at the start, as C's stoll does, so that `5.tmp` is version 5; `01` and `v1` are ignored.
    """
    if name in RESERVED or (name.startswith("0") and len(name) > 1):
        return None
    found = _LEADING_INTEGER.match(name)
    return int(found[1]) if found else None


def model_folders(repository: Path) -> list[Path]:
    """Return the folders of a repository's models, in order.

    Raises:
        RepositoryError: it cannot be listed.
    """
    try:
        return sorted(entry for entry in repository.iterdir() if entry.is_dir())
    except OSError as error:
        raise RepositoryError(
            f"{repository} cannot be listed: {error.strerror}", fix="check the path and its permissions"
        ) from None
