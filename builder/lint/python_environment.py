"""The environment that EXECUTION_ENV_PATH names: a folder, or an archive of one, with a Python of its own."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from builder.lint import python_source
from builder.lint.seen import Seen
from builder.rules import parameters
from builder.rules.refusal import Config, Refusal

KEY: Final = "EXECUTION_ENV_PATH"
_HERE: Final = "$$TRITON_MODEL_DIRECTORY"
_STUB: Final = "triton_python_backend_stub"
_PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")
_TAR_MARK: Final = slice(257, 262)
_PYTHON: Final = re.compile(r"(?:^|/)lib/python(\d+)\.(\d+)(?:/|$)")
_READ_UP_TO: Final = 32 << 20
"""Bytes of an archive in which its Python is looked for."""


def path(config: Config) -> str:
    """Return what EXECUTION_ENV_PATH says; empty where nothing does."""
    return parameters.text(config).get(KEY, "")


def check(seen: Seen) -> Iterator[Refusal]:
    """Yield why the environment cannot be used.

    Raises:
        OSError: it cannot be read.
    """
    named = path(seen.config)
    if not named:
        return
    found = Path(named.replace(_HERE, str(seen.folder.path)))
    if not found.exists():
        # Elsewhere it may be on the server's machine and not on this one.
        yield _refusal(
            f"Failed to get the canonical path for {named}.",
            kind="load" if _HERE in named else "surprise",
            fix=f"put it into the model's folder, and write {_HERE}/ before its name",
        )
        return
    if found.is_dir() and not (found / "bin" / "activate").exists():
        yield _refusal(
            f"Path {named}/bin/activate does not exist. The Python environment should contain an 'activate' script.",
            fix="pack it with conda-pack",
        )
    elif found.is_file() and not _is_packed(found):
        yield _refusal("archive_read_open_filename() failed.", fix="pack it with conda-pack")
    else:
        yield from _other_python(seen, found)


def _other_python(seen: Seen, found: Path) -> Iterator[Refusal]:
    has, wanted = _version(found), python_source.version(seen.target.release)
    if has is not None and has != wanted and not (seen.folder.path / _STUB).exists():
        yield Refusal(
            f"the environment has Python {_text(has)}, the stub of Triton {seen.target.release.name} is built for "
            f"{_text(wanted)}",
            code="P109",
            place=("parameters", KEY),
            fix=f"make it with Python {_text(wanted)}, or put a {_STUB} built for {_text(has)} into the model's folder",
        )


def _version(found: Path) -> tuple[int, int] | None:
    """Return the version of the Python in an environment; None where it was not found."""
    if found.is_dir():
        names = iter(sorted(f"lib/{entry.name}" for entry in found.glob("lib/python*")))
    else:
        names = _members(found)
    for name in names:
        if match := _PYTHON.search(name):
            return int(match[1]), int(match[2])
    return None


def _members(found: Path) -> Iterator[str]:
    try:
        with tarfile.open(found, mode="r|*") as archive:
            for member in archive:
                yield member.name
                if member.offset_data + member.size > _READ_UP_TO:
                    return
    except (tarfile.TarError, EOFError, ValueError):
        return  # in a format that is not read here


def _is_packed(found: Path) -> bool:
    with found.open("rb") as file:
        start = file.read(512)
    return start.startswith(_PACKED) or start[_TAR_MARK] == b"ustar"


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _refusal(message: str, *, kind: Literal["load", "surprise"] = "load", fix: str) -> Refusal:
    return Refusal(
        message,
        kind="load" if kind == "load" else "surprise",
        code="P108",
        place=("parameters", KEY),
        fix=fix,
    )
