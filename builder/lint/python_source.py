"""Python source as the image's Python reads it: parsed, never run."""

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from builder.rules.refusal import Refusal
from builder.spec.releases import Release

_MOST: Final = 16 << 20
"""Bytes beyond which a file is no source."""
_NEWER: Final = re.compile(r"^\s*type \w+.*=|^\s*(?:async )?(?:def|class) \w+\[|\b[rR]?[fF][rR]?['\"]")
"""Lines that Python 3.12 may read and an older one not."""


def check_syntax(path: Path, relative: str, release: Release) -> Iterator[Refusal]:
    """Yield why the Python of `release` would not read the file at `path`.

    Raises:
        OSError: it cannot be read.
    """
    tree = parse(path, relative, release)
    if isinstance(tree, Refusal):
        yield tree


def parse(path: Path, relative: str, release: Release) -> ast.Module | Refusal | None:
    """Return the syntax tree of the file at `path`, or why the Python of `release` would not read it.

    None where it may hold syntax that is newer than the Python that runs here.

    Raises:
        OSError: it cannot be read.
    """
    if path.stat().st_size > _MOST:
        return Refusal(
            f"{relative} has more than {_MOST >> 20} MB, which is no source", code="P101", file=relative
        )
    data = path.read_bytes()
    wanted = version(release)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, filename=path.name, feature_version=min(wanted, sys.version_info[:2]))
            compile(data, path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        if wanted > sys.version_info[:2] and _may_be_newer(data, error.lineno or 0):
            return None
        return _refusal(
            f"SyntaxError: {error.msg} ({path.name}, line {error.lineno or 1})", relative, error.lineno
        )
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        return _refusal(f"SyntaxError: {error or type(error).__name__} ({path.name})", relative, 0)
    return tree


def _refusal(message: str, relative: str, line: int | None) -> Refusal:
    return Refusal(message, code="P101", file=relative, line=line or 0)


def version(release: Release) -> tuple[int, int]:
    """Return the version of the Python in the image of `release`."""
    major, minor = release.python.split(".")[:2]
    return int(major), int(minor)


def _may_be_newer(data: bytes, line: int) -> bool:
    lines = data.decode(errors="replace").splitlines()
    return any(_NEWER.search(one) for one in lines[max(line - 2, 0) : line + 1])
