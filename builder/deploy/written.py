"""Files that people may have edited since: nothing of theirs is replaced unless they say so."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.errors import UsageError

_FILE: Final = 0o644
_FOLDER: Final = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of the files, by their paths in the folder."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    """They were there, with the same bytes."""


def write(files: Mapping[str, str], into: Path, *, force: bool) -> Changes:
    """Write `files` below `into`, each whole or not at all; what is there with the same bytes stays as it is.

    They can be read by everybody, whatever the umask: the users of the containers are others.

    Raises:
        UsageError: one is there with other bytes, and `force` is not set; none is then written. Or it cannot be
            written.
    """
    there = {name: _content(into / name) for name in files}
    kept = tuple(name for name, text in files.items() if there[name] == text.encode())
    written = tuple(name for name in files if name not in kept)
    if not force and (edited := [name for name in written if there[name] is not None]):
        raise UsageError(
            f"{into} has files with another content: {', '.join(edited)}",
            fix="replace them with --force, or write into another folder with --out; "
            "changes of your own are safe in compose.override.yaml beside, which docker compose reads too",
        )
    for name in written:
        _write(into / name, files[name], into)
    return Changes(written=written, kept=kept)


def _content(path: Path) -> bytes | None:
    """Return what the file holds; None: there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(path, error) from error


def _write(path: Path, text: str, top: Path) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _make_folders(path.parent, top)
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.chmod(_FILE)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _make_folders(folder: Path, top: Path) -> None:
    if folder.is_dir():
        return
    if folder != top:
        _make_folders(folder.parent, top)
    folder.mkdir(parents=True)
    folder.chmod(_FOLDER)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be written: {error.strerror or error}", fix="name another folder with --out"
    )
