"""How Triton reads the `parameters` of a config, which are always text."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from builder.rules.refusal import Config, Refusal

_LEADING_INTEGER: Final = re.compile(r"\s*([+-]?\d+)", re.ASCII)
_MOST_DIGITS: Final = 40
_TRUE: Final = ("true", "on", "1")
_FALSE: Final = ("false", "off", "0")


def text(config: Config) -> Mapping[str, str]:
    """Return the parameters of `config` as text by key."""
    return {
        key: str(value.get("string_value", "")) for key, value in (config.get("parameters") or {}).items()
    }


def integer(value: str) -> int | None:
    """Return the number that `value` starts with, as C's stoi reads it; None where it starts with none.

    One of more than 40 digits is cut short; stoi throws on it, as on any that does not fit an int.
    """
    found = _LEADING_INTEGER.match(value)
    return int(found[1][:_MOST_DIGITS]) if found else None


def boolean(value: str) -> bool | None:
    """Return the truth of `value`; None where Triton reads none in it."""
    lower = value.lower()
    if lower in _TRUE:
        return True
    return False if lower in _FALSE else None


def unreadable(config: Config, *, integers: tuple[str, ...], booleans: tuple[str, ...]) -> Iterator[Refusal]:
    """Yield a refusal for each parameter among these that is not what it has to be."""
    for key, value in text(config).items():
        number = integer(value) if key in integers else 0
        if number is None or not -(2**31) <= number < 2**31:
            yield Refusal(
                f"failed to convert '{value}' to integral number", code="C217", place=("parameters", key)
            )
        if key in booleans and boolean(value) is None:
            yield Refusal(f"failed to convert '{value}' to boolean", code="C217", place=("parameters", key))
