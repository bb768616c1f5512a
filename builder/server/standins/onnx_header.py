"""The opset and IR version of an ONNX file, read without the onnx package and without reading the graph."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

_IR_VERSION: Final = 1
_OPSET_IMPORT: Final = 8
_DOMAIN: Final = 1
_VERSION: Final = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MORE: Final = 0x80  # the bit of a byte that says the number goes on
_SKIPPED: Final = {_FIXED64: 8, _FIXED32: 4}


class OnnxHeader(NamedTuple):
    """What a file asks of its runtime; None where it does not say."""

    ir: int | None
    opset: int | None
    """Of the domain ai.onnx."""


def read(path: Path) -> OnnxHeader:
    """Return the versions that the ONNX file at `path` is stamped with.

    Raises:
        ValueError: the file is no protobuf message.
    """
    ir = opset = None
    with path.open("rb") as file:
        for field, value in _fields(file, path.stat().st_size, wanted={_OPSET_IMPORT}):
            if field == _IR_VERSION and isinstance(value, int):
                ir = value
            elif field == _OPSET_IMPORT and isinstance(value, bytes):
                domain, version = _opset(value)
                opset = version if domain in ("", "ai.onnx") else opset
    return OnnxHeader(ir, opset)


def _opset(message: bytes) -> tuple[str, int]:
    found = dict(_fields(io.BytesIO(message), len(message), wanted={_DOMAIN}))
    domain, version = found.get(_DOMAIN, b""), found.get(_VERSION, 0)
    return (domain.decode() if isinstance(domain, bytes) else ""), (
        version if isinstance(version, int) else 0
    )


def _fields(file: BinaryIO, size: int, *, wanted: set[int]) -> Iterator[tuple[int, int | bytes]]:
    while file.tell() < size:
        key = _varint(file)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            yield field, _varint(file)
        elif wire == _BYTES:
            length = _varint(file)
            if field in wanted:
                yield field, file.read(length)
            else:
                file.seek(length, 1)
        elif wire in _SKIPPED:
            file.seek(_SKIPPED[wire], 1)
        else:
            raise ValueError(f"wire type {wire} at byte {file.tell()}: not an ONNX file")


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte:
            raise ValueError("the file ends inside a number")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < _MORE:
            return value
        shift += 7
