"""The record of a version: deterministic facts, written once into its folder."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from builder.errors import RepositoryError
from builder.repository.layout import CONFIG
from builder.spec.hashing import file_sha256
from builder.spec.plain import dump, from_plain
from builder.spec.record import RECORD_NAME, VersionRecord


def record_text(record: VersionRecord) -> str:
    """Return the text of record.json, the same for the same record to the byte."""
    return dump(record)


def parse_record(text: str) -> VersionRecord:
    """Return the record that `text` holds.

    Raises:
        TypeError: a field is missing or has another type.
        ValueError: it is no JSON.
    """
    return from_plain(VersionRecord, json.loads(text))


def read_record(version_folder: Path) -> VersionRecord:
    """Return the record of a published version.

    Raises:
        RepositoryError: there is none, or it cannot be read.
    """
    path = version_folder / RECORD_NAME
    try:
        return parse_record(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RepositoryError(
            f"{version_folder} has no {RECORD_NAME}: trb did not publish it",
            fix="run `trb build`, which publishes a version above it, or move that folder out of the repository",
        ) from None
    except (OSError, TypeError, ValueError) as error:
        raise RepositoryError(
            f"{path} cannot be read: {error}", fix="restore the file, or move the version folder away"
        ) from error


def complete(record: VersionRecord, version: Path, config: Path) -> VersionRecord:
    """Return `record` with the sha256 of every file of the version folder and of its config.pbtxt."""
    return replace(record, files=file_hashes(version), config_sha256=file_sha256(config))


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below `folder` but a version's record, by path; none if it does not exist."""
    found = files_below(folder)
    return {name: file_sha256(path) for name, path in found.items() if name != RECORD_NAME}


def files_below(folder: Path) -> dict[str, Path]:
    """Return every file below `folder` by its path in it, sorted; nothing if it does not exist.

    Left out is the bytecode that a server writes beside the Python it runs.
    """
    found = (
        path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.relative_to(folder).parts
    )
    files = (path for path in found if path.is_file() or path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in files}


def hash_of(record: VersionRecord) -> str:
    """Return the sha256 over the recorded hashes of a version's files and of its config.pbtxt.

    The config counts: the same file under another config answers at another speed.
    """
    lines = (f"{name}\0{sha256}\n" for name, sha256 in sorted(record.files.items()))
    return hashlib.sha256("".join((*lines, f"{CONFIG}\0{record.config_sha256}\n")).encode()).hexdigest()


def version_hash(version_folder: Path) -> str:
    """Return the hash that the live record knows a published version by.

    Raises:
        RepositoryError: the version has no record.
    """
    return hash_of(read_record(version_folder))
