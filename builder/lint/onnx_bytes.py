"""An ONNX file without its large weights: they are neither read nor needed to see what a server would refuse.

What is left out becomes an input of the graph, of the same name, type and shape; ONNX Runtime then sees the same
types and shapes as in the whole file. Field numbers are those of onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

Buffer = mmap.mmap | memoryview | bytes

SMALL: Final = 4096
"""Bytes up to which an initialiser is kept: shape inference reads the shapes and axes in them."""

_ELEMENT_SIZES: Final = {
    **dict.fromkeys((2, 3, 9), 1),
    **dict.fromkeys((4, 5, 10, 16), 2),
    **dict.fromkeys((1, 6, 12), 4),
    **dict.fromkeys((7, 11, 13, 14), 8),
    15: 16,
}
"""Bytes of an element, by the number of its type."""
_MOST_DIGITS: Final = 19
_GRAPH: Final = 7
_INITIALIZER, _INPUT = 5, 11
_DIMS, _DATA_TYPE, _NAME, _EXTERNAL, _LOCATION = 1, 2, 8, 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MORE: Final = 0x80
_LONGEST_VARINT: Final = 70  # bits


class NotOnnx(ValueError):
    """The bytes are no protobuf message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """An initialiser, its elements aside."""

    name: str
    data_type: int
    dims: tuple[int, ...]
    external: tuple[tuple[str, str], ...] = ()
    """`location`, `offset` and `length` of elements in another file; empty: they are in this one."""
    is_input: bool = False
    """Whether the file itself lists it among the graph's inputs, so that a request may override it."""

    @property
    def location(self) -> str:
        """The file that its elements are in, as the graph names it."""
        return dict(self.external).get("location", "")

    @property
    def offset(self) -> int | None:
        """Where they start in that file; None where that is no number."""
        return self._number("offset")

    @property
    def length(self) -> int | None:
        """How many bytes they take there, 0 where the graph does not say; None where that is no number."""
        return self._number("length")

    def _number(self, key: str) -> int | None:
        text = dict(self.external).get(key) or "0"
        return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None

    @property
    def size(self) -> int:
        """The bytes of its elements; 0 where several share a byte."""
        return math.prod(self.dims) * _ELEMENT_SIZES.get(self.data_type, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LightModel:
    """What is left of a file."""

    data: bytes
    """A ModelProto."""
    left_out: tuple[Weight, ...]
    """The initialisers that are inputs of the graph now."""
    external: tuple[Weight, ...]
    """The graph's initialisers whose elements are in other files, left out or not."""


def lighten(path: Path) -> LightModel:
    """Return the model in `path` without its large weights.

    Raises:
        NotOnnx: it is no protobuf message.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return LightModel(data=b"", left_out=(), external=())
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return _model(whole, path.parent)


def _model(whole: Buffer, folder: Path) -> LightModel:
    parts: list[bytes] = []
    weights: list[Weight] = []
    left_out: list[Weight] = []
    for field, start, body, end in _fields(whole, 0, len(whole)):
        if field == _GRAPH:
            graph, weights, left_out = _graph(whole, body, end, folder)
            parts.append(_tagged(_GRAPH, graph))
        else:
            parts.append(bytes(whole[start:end]))
    return LightModel(
        data=b"".join(parts),
        left_out=tuple(left_out),
        external=tuple(weight for weight in weights if weight.external),
    )


def _graph(whole: Buffer, start: int, end: int, folder: Path) -> tuple[bytes, list[Weight], list[Weight]]:
    """Return the graph without its large weights, those that are large or elsewhere, and those left out."""
    parts: list[bytes] = []
    weights: list[Weight] = []
    left_out: list[Weight] = []
    inputs: set[str] = set()
    for field, begin, body, stop in _fields(whole, start, end):
        if field == _INPUT:
            inputs.add(_text(whole, body, stop, 1))
        weight = _large(whole, body, stop) if field == _INITIALIZER else None
        if weight is None:
            parts.append(bytes(whole[begin:stop]))
            continue
        weights.append(weight)
        inline = _inlined(weight, folder)
        if inline is None:
            left_out.append(weight)
        else:
            parts.append(_tagged(_INITIALIZER, inline))
    left_out = [replace(weight, is_input=weight.name in inputs) for weight in left_out]
    parts += [_tagged(_INPUT, _value_info(weight)) for weight in left_out if not weight.is_input]
    return b"".join(parts), weights, left_out


def _large(whole: Buffer, start: int, end: int) -> Weight | None:
    """Return the TensorProto if its elements are many, or elsewhere; None if it is to be kept as it is."""
    if end - start <= SMALL and not _is_external(whole, start, end):
        return None
    dims: list[int] = []
    external: list[tuple[str, str]] = []
    data_type, name = 0, ""
    for field, _, body, stop in _fields(whole, start, end):
        if field == _DIMS:
            dims += _numbers(whole, body, stop)
        elif field == _DATA_TYPE:
            data_type = _varint(whole, body, stop)[0]
        elif field == _NAME:
            name = bytes(whole[body:stop]).decode(errors="replace")
        elif field == _EXTERNAL:
            external.append((_text(whole, body, stop, 1), _text(whole, body, stop, 2)))
    return Weight(name=name, data_type=data_type, dims=tuple(dims), external=tuple(external))


def _is_external(whole: Buffer, start: int, end: int) -> bool:
    return any(
        field == _LOCATION and _varint(whole, body, stop)[0] == 1
        for field, _, body, stop in _fields(whole, start, end)
    )


def _inlined(weight: Weight, folder: Path) -> bytes | None:
    """Return an external TensorProto with its elements in it, if they are few and there."""
    if weight.offset is None or weight.length is None or not weight.length == weight.size <= SMALL:
        return None
    beside = folder / weight.location
    try:
        if not beside.is_file():
            return None
        with beside.open("rb") as file:
            file.seek(weight.offset)
            data = file.read(weight.length)
    except (OSError, ValueError):
        return None
    if len(data) != weight.length:
        return None
    dims = b"".join(_key(_DIMS, _VARINT) + _as_varint(dim) for dim in weight.dims)
    return (
        dims
        + _key(_DATA_TYPE, _VARINT)
        + _as_varint(weight.data_type)
        + _tagged(_NAME, weight.name.encode())
        + _tagged(9, data)
    )


def _value_info(weight: Weight) -> bytes:
    """Return a ValueInfoProto of the tensor's name, type and shape."""
    shape = b"".join(_tagged(1, _key(1, _VARINT) + _as_varint(dim)) for dim in weight.dims)
    tensor = _key(1, _VARINT) + _as_varint(weight.data_type) + _tagged(2, shape)
    return _tagged(1, weight.name.encode()) + _tagged(2, _tagged(1, tensor))


def _fields(whole: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the number of each field, where it starts, where its value starts, and where it ends."""
    position = start
    while position < end:
        key, body = _varint(whole, position, end)
        wire = key & 7
        if wire == _BYTES:
            length, body = _varint(whole, body, end)
            stop = body + length
        elif wire == _VARINT:
            stop = _varint(whole, body, end)[1]
        elif wire in (_FIXED64, _FIXED32):
            stop = body + (8 if wire == _FIXED64 else 4)
        else:
            raise NotOnnx(f"wire type {wire} at byte {position}")
        if stop > end:
            raise NotOnnx(f"a field at byte {position} ends behind the message")
        yield key >> 3, position, body, stop
        position = stop


def _varint(whole: Buffer, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < _LONGEST_VARINT:
        byte = whole[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, position
        shift += 7
    raise NotOnnx(f"no number ends before byte {position}")


def _numbers(whole: Buffer, start: int, end: int) -> Iterator[int]:
    """Yield the varints of a repeated field, packed or one by one."""
    position = start
    while position < end:
        value, position = _varint(whole, position, end)
        yield value


def _text(whole: Buffer, start: int, end: int, wanted: int) -> str:
    for field, _, body, stop in _fields(whole, start, end):
        if field == wanted:
            return bytes(whole[body:stop]).decode(errors="replace")
    return ""


def _tagged(field: int, data: bytes) -> bytes:
    return _key(field, _BYTES) + _as_varint(len(data)) + data


def _key(field: int, wire: int) -> bytes:
    return _as_varint(field << 3 | wire)


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value >= _MORE:
        found.append(value & 0x7F | _MORE)
        value >>= 7
    found.append(value)
    return bytes(found)
