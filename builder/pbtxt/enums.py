"""One value of an enum, and what a misspelling of it meant."""

from collections.abc import Mapping
from typing import Any, Final

from builder.pbtxt import spelling
from builder.pbtxt.scalars import MisreadError, integer
from builder.pbtxt.tree import Scalar

_MOST: Final = 2**31


class TooNewError(MisreadError):
    """The release does not know the value yet."""


def read(scalar: Scalar, known: Any, unknown: Mapping[str, str]) -> str | int:
    """Return the name of the value; its number where no value has it, which protobuf takes all the same.

    Args:
        scalar: what is written.
        known: the field's descriptor.
        unknown: the values that the release does not know, each with the first that does.

    Raises:
        MisreadError: it is no value of the enum.
        TooNewError: it is one only in a later release.
    """
    values = known.enum_type.values_by_name
    if scalar.kind == "name" and scalar.text in values:
        if scalar.text in unknown:
            raise TooNewError(f"`{scalar.text}` is not known before Triton {unknown[scalar.text]}")
        return scalar.text
    number = integer(scalar.text) if scalar.kind == "number" else None
    if number is not None and -_MOST <= number < _MOST:
        named = known.enum_type.values_by_number.get(number)
        return number if named is None or named.name in unknown else str(named.name)
    names = [name for name in values if name not in unknown]
    given = scalar.text.strip("\"'")
    right = spelling.meant_value(given, names)
    near = right or spelling.nearest(given.upper(), names, cutoff=0.75)
    hint = f"; did you mean {near}?" if near else f"; it is one of {', '.join(names)}"
    raise MisreadError(f"{scalar.text} is no value of `{known.name}`{hint}", right)
