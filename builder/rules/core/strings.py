"""Texts in a file of raw data: each is its length in four bytes, the lowest first, and its bytes."""

from typing import Final

_LENGTH: Final = 4


def miscounted(data: bytes, wanted: int, called: str, model: str) -> str:
    """Return why `data` is not `wanted` texts, in the core's words; "" where it is.

    The core goes by the lengths; it does not notice when the last text is cut short.
    """
    at, count, where = 0, 0, f"for inference {called} for model '{model}'"
    while at < len(data):
        left = len(data) - at
        if left < _LENGTH:
            return f"incomplete string length indicator {where}, expecting 4 bytes but only {left} bytes available"
        if count == wanted:
            return f"unexpected number of string elements {wanted + 1} {where}, expecting {wanted}"
        at += _LENGTH + int.from_bytes(data[at : at + _LENGTH], "little")
        count += 1
    return "" if count == wanted else f"expected {wanted} string elements {where}, got {count}"
