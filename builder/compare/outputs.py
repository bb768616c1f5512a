"""Compare two answers, output by output."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from builder.compare.defaults import default, merged
from builder.compare.numbers import numeric_gap
from builder.spec.dtypes import DType
from builder.spec.project import Tolerance
from builder.spec.results import OutputGap

_TEXT_KINDS: Final = "OSU"


def compare(
    want: Mapping[str, NDArray[Any]], got: Mapping[str, NDArray[Any]], tolerances: Mapping[str, Tolerance]
) -> tuple[OutputGap, ...]:
    """Compare `got` with the reference `want`: one gap per output of either, the reference's first.

    Floats agree where `|got - want| <= atol + rtol * |want|`; NaN must stand at the same places and
    infinities must be equal. Whole numbers and bools are compared exactly at any size; strings must be equal.
    An output that is missing or not in the reference, and another dtype or shape each fail. Two of the same shape
    without elements agree, and nothing is compared.

    Args:
        want: arrays by output name; strings as arrays of bytes or str.
        got: the same of the other side.
        tolerances: by output name; what is not given there is the default of the output's dtype.
    """
    names = (*want, *(name for name in got if name not in want))
    return tuple(_gap(name, want, got, tolerances.get(name)) for name in names)


def _gap(
    name: str, want: Mapping[str, NDArray[Any]], got: Mapping[str, NDArray[Any]], asked: Tolerance | None
) -> OutputGap:
    if name not in got:
        return _failure(name, asked, f"missing from the answer, which has {', '.join(got) or 'no outputs'}")
    if name not in want:
        return _failure(name, asked, f"not an output of the reference, which has {', '.join(want) or 'none'}")
    a, b = np.asarray(want[name]), np.asarray(got[name])
    tolerance = merged(asked, _default(a))
    if problem := _mismatch(a, b):
        return _failure(name, tolerance, problem)
    if a.size == 0:  # a selection may come to nothing; over all cases of a hop it must not
        return OutputGap(name=name, passed=True, compared=0, bit_identical=True, tolerance=tolerance)
    gap = text_gap if a.dtype.kind in _TEXT_KINDS else numeric_gap
    return gap(name, a, b, tolerance)


def text_gap(name: str, want: NDArray[Any], got: NDArray[Any], tolerance: Tolerance) -> OutputGap:
    """Compare arrays of strings of the same shape: equal or not."""
    pairs = list(zip(_texts(want), _texts(got), strict=True))
    unequal = [place for place, (a, b) in enumerate(pairs) if a != b]
    if not unequal:
        return OutputGap(name=name, passed=True, compared=want.size, bit_identical=True, tolerance=tolerance)
    worst = tuple(int(i) for i in np.unravel_index(unequal[0], want.shape))
    a, b = pairs[unequal[0]]
    return OutputGap(
        name=name,
        passed=False,
        compared=want.size,
        problem=f"at {list(worst)} want {a!r}, got {b!r}; {len(unequal)} of {want.size} strings differ",
        worst_index=worst,
        needed_rtol=math.inf,
        needed_atol=math.inf,
        tolerance=tolerance,
    )


def _mismatch(want: NDArray[Any], got: NDArray[Any]) -> str:
    both_text = want.dtype.kind in _TEXT_KINDS and got.dtype.kind in _TEXT_KINDS
    if want.dtype != got.dtype and not both_text:
        return f"dtype {got.dtype} instead of {want.dtype}"
    if want.shape != got.shape:
        return f"shape {list(got.shape)} instead of {list(want.shape)}"
    return ""


def _failure(name: str, tolerance: Tolerance | None, problem: str) -> OutputGap:
    return OutputGap(
        name=name,
        passed=False,
        compared=0,
        problem=problem,
        needed_rtol=math.inf,
        needed_atol=math.inf,
        tolerance=tolerance or Tolerance(),
    )


def _default(array: NDArray[Any]) -> Tolerance:
    return default(DType.STRING if array.dtype.kind in _TEXT_KINDS else DType.from_name(array.dtype.name))


def _texts(array: NDArray[Any]) -> list[bytes]:
    return [item.encode() if isinstance(item, str) else bytes(item) for item in array.ravel().tolist()]
