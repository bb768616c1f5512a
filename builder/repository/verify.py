"""Whether what lies in the repository is what was published."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError
from builder.repository.read import Published, versions
from builder.repository.record import file_hashes, read_record
from builder.spec.hashing import file_sha256

_LABELS: Final = re.compile(r'label_filename: "(labels_[^"]+-([0-9a-f]{8})\.txt)"')


def verify(published: Published) -> tuple[str, ...]:
    """Return how a version, or the config beside it, differs from what was published; nothing when it does not.

    Raises:
        RepositoryError: the version has no record.
    """
    config, recorded = published.config, published.record.config_sha256
    edited = not config.is_file() or file_sha256(config) != recorded
    return (
        *_misnamed(published),
        *verify_files(published.folder),
        *((f"{config} is not the one it was published with",) if edited else _labels(config)),
    )


def _labels(config: Path) -> Iterator[str]:
    """Yield the files of labels that are not what their names say: those end in the start of a hash."""
    for name, start in _LABELS.findall(config.read_text(encoding="utf-8")):
        path = config.parent / name
        if not (path.is_file() and file_sha256(path).startswith(start)):
            yield f"{path} is not the one it was published with"


def strangeness(repository: Path, triton_name: str) -> str:
    """Return why trb did not publish the newest version of a model of its own; empty when it did.

    A model without any record is somebody else's, and nothing is strange about it.
    """
    there = versions(repository, triton_name)
    if not any(one.is_recorded for one in there):
        return ""
    try:
        return "".join(_misnamed(there[-1]))
    except RepositoryError as error:  # no record, or one that cannot be read: that is what is asked
        return error.what


def _misnamed(published: Published) -> tuple[str, ...]:
    if published.is_in_place:
        return ()
    held = f"{published.folder} holds the record of version {published.record.version}"
    return (f"{held}, copied or renamed by hand; `trb build` publishes a version above it",)


def verify_files(version_folder: Path) -> tuple[str, ...]:
    """Return how the files of a version differ from its record, one sentence each; nothing when they do not.

    Raises:
        RepositoryError: the version has no record.
    """
    recorded, found = read_record(version_folder).files, file_hashes(version_folder)
    missing = (f"{version_folder / name} is missing" for name in recorded.keys() - found.keys())
    added = (
        f"{version_folder / name} was added after publication" for name in found.keys() - recorded.keys()
    )
    both = recorded.keys() & found.keys()
    changed = (
        f"{version_folder / name} was changed after publication"
        for name in both
        if recorded[name] != found[name]
    )
    return tuple(sorted((*missing, *added, *changed)))
