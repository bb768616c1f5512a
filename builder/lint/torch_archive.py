"""The zip archive that torch saves: which records it has, and those that are text or structure, bounded in size."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LARGEST_RECORD: Final = 64 << 20
"""Bytes beyond which a record that should be code or structure is taken for damaged."""
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class NotArchive(ValueError):
    """torch would not read the file; the message is torch's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive of which only the table of contents was read."""

    path: Path
    folder: str
    """The one folder that torch looks into: that of the first record."""
    records: Mapping[str, zipfile.ZipInfo]
    """By name in `folder`."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a record.

        Raises:
            NotArchive: it is not there, damaged, or larger than code or structure can be.
            OSError: the file cannot be read.
        """
        if name not in self.records:
            raise NotArchive(f"PytorchStreamReader failed locating file {name}: file not found")
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.records[name]) as record:
                data = record.read(LARGEST_RECORD + 1)
        except _UNREADABLE as error:
            raise NotArchive(f"PytorchStreamReader failed reading file {name}: {error}") from None
        if len(data) > LARGEST_RECORD:
            raise NotArchive(f"{name} in it has more than {LARGEST_RECORD >> 20} MB")
        return data


def archive(path: Path) -> Archive:
    """Return the archive at `path`.

    Raises:
        NotArchive: torch would not take it for one of its own.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as file:
            entries = file.infolist()
    except _UNREADABLE:
        raise NotArchive(
            "PytorchStreamReader failed reading zip archive: failed finding central directory"
        ) from None
    if not entries:
        raise NotArchive("archive does not contain any files")
    folder, slash, _ = entries[0].filename.partition("/")
    if not slash:
        raise NotArchive(f"file in archive is not in a subdirectory: {entries[0].filename}")
    start = f"{folder}/"
    return Archive(
        path=path,
        folder=folder,
        records={
            entry.filename.removeprefix(start): entry for entry in entries if entry.filename.startswith(start)
        },
    )
