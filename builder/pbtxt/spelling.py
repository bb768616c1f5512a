"""What a misspelt name was meant to be: the nearest, to ask a person; and what it must be, to change it."""

import difflib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from builder.spec.dtypes import DType


def nearest(given: str, names: Sequence[str], *, cutoff: float = 0.6) -> str:
    """Return the one of `names` that is most like `given`; "" for none."""
    return next(iter(difflib.get_close_matches(given, names, n=1, cutoff=cutoff)), "")


def meant(given: str, names: Iterable[str]) -> str:
    """Return the only one of `names` that `given` is but for capitals, underscores, a plural or one slip; "" for none.

    A number in a name is never taken for another: TYPE_INT is not TYPE_INT8.
    """
    alike = {name for name in names if _squeezed(name) == _squeezed(given)}
    alike = alike or {name for name in names if _is_one_slip(given, name) and _digits(given) == _digits(name)}
    return alike.pop() if len(alike) == 1 else ""


def meant_value(given: str, names: Sequence[str]) -> str:
    """Return the enum value that `given` stands for, such as TYPE_FP32 for TYPE_FLOAT32 or fp32; "" for none."""
    upper = given.upper()
    bare = upper.removeprefix("TYPE_")
    for spelling in (bare, bare.lower()):
        with suppress(KeyError):
            if (triton := DType.from_name(spelling).triton) in names:
                return triton
    whole = [name for name in names if upper in (name, name.rpartition("_")[2])]
    return whole[0] if len(whole) == 1 else meant(upper, names)


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "").removesuffix("s")


def _digits(name: str) -> list[str]:
    return sorted(re.findall(r"\d", name))


def _is_one_slip(one: str, other: str) -> bool:
    """Return whether the words differ by one letter, or by two neighbours that changed places."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        apart = [at for at in range(len(long)) if long[at] != short[at]]
        first, last = (apart[0], apart[-1]) if apart else (0, 0)
        return first == last or (last == first + 1 and long[first] + long[last] == short[last] + short[first])
    return len(long) == len(short) + 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
