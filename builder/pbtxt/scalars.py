"""One value of a field, as protobuf's C++ parser reads it; Python's own is laxer here and stricter there."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from builder.pbtxt.tree import STRING, Scalar

_TRUTHS: Final = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_LONGEST: Final = 80
"""Characters of a number that may still fit a field."""
_INTEGER: Final = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", re.ASCII)
_FLOAT: Final = re.compile(
    r"-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fF]?|-?(?i:inf|infinity|nan)", re.ASCII
)
_RANGES: Final = {1: (-(2**31), 2**31), 2: (-(2**63), 2**63), 3: (0, 2**32), 4: (0, 2**64)}
"""What protobuf's integer types hold, by CPPTYPE in google/protobuf/descriptor.h."""
_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<one>[abfnrtv\\'"?])
          | (?P<octal>[0-7]{1,3})
          | x(?P<hex>[0-9a-fA-F]{1,2})
          | u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})
          | u(?P<short>[0-9a-fA-F]{4})
          | U(?P<long>00[01][0-9a-fA-F]{5})
          | (?P<wrong>[^\n]))""",
    re.VERBOSE,
)
_ONE: Final = dict(zip("abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))


class MisreadError(ValueError):
    """A value is not what its field takes."""

    def __init__(self, message: str, right: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.right = right
        """What it should be, where there is one right answer."""


def read(scalar: Scalar, known: Any) -> str | int | float | bool:
    """Return the value of `scalar` in the field that `known`, its descriptor, describes; no enum.

    Raises:
        MisreadError: it is none for this field.
    """
    try:
        return _reader(known)(scalar)
    except MisreadError as error:
        if error.message:
            raise
        raise MisreadError(
            f"`{known.name}` takes {wanted(known)}, not {scalar.text}", _repaired(scalar, known)
        ) from None


def wanted(known: Any) -> str:
    """Return what the field takes, in words."""
    if known.cpp_type == known.CPPTYPE_STRING:
        return "text in quotes"
    if known.cpp_type == known.CPPTYPE_BOOL:
        return "true or false"
    if known.cpp_type not in _RANGES:
        return "a number"
    low, high = _RANGES[known.cpp_type]
    return f"a whole number from {low} to {high - 1}"


def integer(text: str) -> int | None:
    """Return the number that `text` is in decimal, octal or hexadecimal; None for anything else."""
    if len(text) > _LONGEST or not _INTEGER.fullmatch(text):
        return None
    digits = text.removeprefix("-").lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    return int(digits, base) * (-1 if text.startswith("-") else 1)


def string(scalar: Scalar) -> str:
    """Return the text in quotes that `scalar` is; bytes that are no UTF-8 become lone surrogates.

    Raises:
        MisreadError: it is not in quotes, or has an escape that protobuf does not know.
    """
    if scalar.kind != "string":
        raise MisreadError("")
    parts = [part[1:-1] for part in STRING.findall(scalar.text)]
    return b"".join(map(_unescaped, parts)).decode(errors="surrogateescape")


def _reader(known: Any) -> Callable[[Scalar], str | int | float | bool]:
    readers: Mapping[int, Callable[[Scalar], str | int | float | bool]] = {
        known.CPPTYPE_STRING: string,
        known.CPPTYPE_BOOL: _boolean,
        known.CPPTYPE_FLOAT: _float,
        known.CPPTYPE_DOUBLE: _float,
    }
    return readers.get(known.cpp_type) or _in_range(*_RANGES[known.cpp_type])


def _boolean(scalar: Scalar) -> bool:
    number = None if scalar.text.startswith("-") else integer(scalar.text)
    found = {0: False, 1: True}.get(number) if number is not None else _TRUTHS.get(scalar.text)
    if found is None or scalar.kind == "string":
        raise MisreadError("")
    return found


def _float(scalar: Scalar) -> float:
    if scalar.kind == "string" or not _FLOAT.fullmatch(scalar.text):
        raise MisreadError("")
    lower = scalar.text.lower()
    return float(lower if "n" in lower else lower.removesuffix("f"))


def _in_range(low: int, high: int) -> Callable[[Scalar], int]:
    def found(scalar: Scalar) -> int:
        number = integer(scalar.text) if scalar.kind == "number" else None
        if number is None or not low <= number < high or (low == 0 and scalar.text.startswith("-")):
            raise MisreadError("")
        return number

    return found


def _unescaped(text: str) -> bytes:
    parts: list[bytes] = []
    end = 0
    for found in _ESCAPE.finditer(text):
        parts += [text[end : found.start()].encode(errors="surrogateescape"), _escape(found)]
        end = found.end()
    return b"".join((*parts, text[end:].encode(errors="surrogateescape")))


def _escape(found: re.Match[str]) -> bytes:
    if found["one"]:
        return bytes([_ONE[found["one"]]])
    if found["octal"]:
        return bytes([int(found["octal"], 8) & 0xFF])
    if found["hex"]:
        return bytes([int(found["hex"], 16)])
    if found["high"]:
        pair = bytes.fromhex(found["high"] + found["low"])
        return pair.decode("utf-16-be").encode()
    if found["wrong"]:
        raise MisreadError(f"{found.group()} is no escape sequence; a backslash itself is \\\\")
    code = int(found["short"] or found["long"], 16)
    # protobuf takes these a little beyond what Unicode has.
    return chr(min(code, sys.maxunicode)).encode(errors="surrogatepass")


def _repaired(scalar: Scalar, known: Any) -> str:
    """Return the value in the form that the field takes, where it is only quoted wrongly."""
    if known.cpp_type == known.CPPTYPE_STRING and scalar.kind == "name":
        return f'"{scalar.text}"'
    bare = scalar.text[1:-1] if scalar.kind == "string" else ""
    if known.cpp_type == known.CPPTYPE_BOOL:
        lower = (bare or scalar.text).lower()
        return lower if lower in ("true", "false") else ""
    if known.cpp_type not in _RANGES or not bare:
        return ""
    try:
        _in_range(*_RANGES[known.cpp_type])(Scalar(bare, "number", 0, 0))
    except MisreadError:
        return ""
    return bare
