"""A config.pbtxt from the disk, whatever is in it."""

from pathlib import Path
from typing import Final

from builder.rules.refusal import Refusal

_MOST: Final = 16 << 20
"""Bytes beyond which a file is no configuration."""


def read(path: Path) -> str | Refusal:
    """Return the text of the file at `path`, bytes that are no UTF-8 as lone surrogates; or why it has none.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        return Refusal(
            "config.pbtxt is a folder; reading it ends the whole server",
            kind="crash",
            code="R106",
            fix="move the folder away",
        )
    if not path.is_file():
        return Refusal(f"failed to read text proto from {path}: it is no regular file", code="R106")
    size = path.stat().st_size
    if size > _MOST:
        return Refusal(f"{size >> 20} MB are no configuration; the file was not read", code="C101")
    return path.read_bytes().decode(errors="surrogateescape")


def printable(text: str) -> str:
    """Return `text` with an escape for each byte that is no UTF-8, and for what a terminal would obey."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "backslashreplace").decode()
        for one in text
    )
