"""What stands where a model's file should: said before any reader opens it."""

import stat
from pathlib import Path
from typing import Final

from builder.rules.refusal import Refusal

_LFS: Final = b"version https://git-lfs.github.com/spec/"
_PAGES: Final = (b"<!doctype html", b"<html")
_KINDS: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def foreign(path: Path, relative: str) -> Refusal | None:
    """Return why the file at `path`, which is there, is no model of any backend; None if it may be one.

    Args:
        path: the file; what it may block on is not opened.
        relative: its path from the model's folder.

    Raises:
        OSError: it cannot be read.
    """
    mode = stat.S_IFMT(path.stat().st_mode)
    if mode != stat.S_IFREG:
        return Refusal(
            f"{relative} is {_KINDS.get(mode, 'no regular file')}, not a file", code="R122", file=relative
        )
    with path.open("rb") as file:
        start = file.read(len(_LFS) + 100).lstrip()
    if start.startswith(_LFS):
        return Refusal(
            f"{relative} is a git-lfs pointer, three lines of text in place of the model",
            code="R121",
            file=relative,
            fix="git lfs pull",
        )
    if start.lower().startswith(_PAGES):
        return Refusal(
            f"{relative} is a web page, not a model",
            code="R121",
            file=relative,
            fix="download it again: the address led to a page about it, or to a login",
        )
    return None
