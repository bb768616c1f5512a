"""Whether the files that are served are those that were published."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from builder.spec.loaded import Loaded
from builder.spec.record import RECORD_NAME, VersionRecord


def departures(version_folder: Path, record: VersionRecord | None, loaded: Loaded) -> tuple[str, ...]:
    """Return how the version is not what its record says, one sentence each."""
    if record is None:
        return (f"{version_folder} has no {RECORD_NAME}: what it was made of is not known",)
    return (*_files(version_folder, record), *_config(version_folder, record), *_source(record, loaded))


def _files(folder: Path, record: VersionRecord) -> Iterator[str]:
    there = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    for name, recorded in sorted(record.files.items()):
        if name not in there:
            yield f"{folder / name} is missing: the record has it"
        elif _sha256(there[name]) != recorded:
            yield f"{folder / name} changed after it was published: its sha256 is not the recorded one"
    for name in there.keys() - record.files.keys() - {RECORD_NAME}:
        yield f"{folder / name} was added after the version was published"


def _config(folder: Path, record: VersionRecord) -> Iterator[str]:
    path = folder.parent / "config.pbtxt"
    if record.config_sha256 and path.is_file() and _sha256(path) != record.config_sha256:
        yield f"{path} changed after it was published: its sha256 is not the recorded one"


def _source(record: VersionRecord, loaded: Loaded) -> Iterator[str]:
    if record.provenance.weights_sha256 != loaded.provenance.weights_sha256:
        yield f"the weights of {loaded.name} are not those this version was built from: run trb build first"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
