"""What was measured live: one line of JSON each, appended and never changed."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder.repository.faults import said_plainly
from builder.repository.layout import live_file, model_folder
from builder.repository.read import Published
from builder.repository.record import hash_of
from builder.spec.plain import to_plain


def append_live(repository: Path, published: Published, kind: str, measured: object) -> None:
    """Add what was measured on a published version, with the time and the version's hash.

    Args:
        repository: the repository's root.
        published: the version.
        kind: what was measured, such as `check` or `perf`.
        measured: the result, a dataclass or plain.

    Raises:
        RepositoryError: the version has no record, or the file cannot be written.
    """
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "version": published.version,
        "version_hash": hash_of(published.record),
        "value": to_plain(measured),
    }
    append_line(repository, published.triton_name, entry)


def append_line(repository: Path, triton_name: str, entry: Mapping[str, Any]) -> None:
    """Add one line in one write, on the disk itself before this returns.

    Raises:
        RepositoryError: the file cannot be written.
    """
    path = live_file(repository, model_folder(repository, triton_name).name)
    line = json.dumps(entry, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    with said_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            os.write(opened, _line_end(opened) + line)
            os.fsync(opened)
        finally:
            os.close(opened)


def read_live(repository: Path, triton_name: str) -> tuple[Mapping[str, Any], ...]:
    """Return every entry of a model, oldest first; a line that a killed process left half written is passed over."""
    path = live_file(repository, triton_name)
    if not path.exists():
        return ()
    entries = (_entry(line) for line in path.read_bytes().splitlines())
    return tuple(entry for entry in entries if entry is not None)


def _line_end(opened: int) -> bytes:
    """Return what separates a new line from a torn last one."""
    size = os.fstat(opened).st_size
    return b"\n" if size and os.pread(opened, 1, size - 1) != b"\n" else b""


def _entry(line: bytes) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
