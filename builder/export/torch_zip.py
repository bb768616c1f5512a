"""A TorchScript archive with the same bytes for the same model, whoever made it and where."""

import io
import re
import struct
import zipfile
from pathlib import Path
from typing import Final

import torch

_ALIGNMENT: Final = 64  # torch maps tensors from the file, and writes them so aligned
_LOCAL_HEADER_BYTES: Final = 30
_EXTRA_HEADER_BYTES: Final = 4
_PADDING_ID: Final = 0x4246  # "FB", as torch's own writer
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MANGLED: Final = re.compile(rb"___torch_mangle_(\d+)")
# Source ranges hold the user's paths; the id is a hash over them. torch loads archives without either.
_DROPPED: Final = (".debug_pkl", ".data/serialization_id")


def save(module: torch.jit.ScriptModule, path: Path) -> None:
    """Write `module` to `path`, without source paths and whatever this process compiled before."""
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith(_DROPPED)]
    write(_renumbered(entries), path)


def write(entries: list[tuple[str, bytes]], path: Path) -> None:
    """Write `entries`, as they are, as a zip whose data torch can map; the same bytes each time."""
    with path.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.extra = _padding(file.tell() + _LOCAL_HEADER_BYTES + len(name.encode()))
            archive.writestr(info, data)


def _padding(offset: int) -> bytes:
    size = -(offset + _EXTRA_HEADER_BYTES) % _ALIGNMENT
    return struct.pack("<HH", _PADDING_ID, size) + b"Z" * size


def _renumbered(entries: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Number mangled class names from 0: torch counts them over all that the process has compiled."""
    texts = [(name, data) for name, data in entries if _is_code(name)]
    found = {number for name, data in texts for number in _MANGLED.findall(name.encode() + data)}
    order = {number: b"%d" % place for place, number in enumerate(sorted(found, key=int))}

    def renamed(text: bytes) -> bytes:
        return _MANGLED.sub(lambda match: b"___torch_mangle_" + order[match[1]], text)

    return [
        (renamed(name.encode()).decode(), renamed(data)) if _is_code(name) else (name, data)
        for name, data in entries
    ]


def _is_code(name: str) -> bool:
    return "/code/" in name or name.endswith("/data.pkl")
