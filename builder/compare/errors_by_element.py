"""The error of every element, exact for every dtype."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Facts = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Elementwise, all of one shape."""

    error: Floats
    """|got - want|; 0 where both are NaN or the same infinity, inf where they are not the same and not
    finite."""
    magnitude: Floats
    """|want|; 0 where it is not finite."""
    finite: Facts
    """Where both are finite."""
    broken: Facts
    """Where a NaN or an infinity stands on one side only, or infinities differ in sign: no tolerance mends
    it."""

    def beyond(self, rtol: float, atol: float) -> Facts:
        """Return where the error is above `atol + rtol * |want|`."""
        return self.broken | (self.error > allowed(self.magnitude, rtol, atol))


def errors(want: NDArray[Any], got: NDArray[Any]) -> Errors:
    """Measure `got` against `want`, both numeric and of the same shape and dtype."""
    wide_want, wide_got = as_float64(want), as_float64(got)
    finite = np.isfinite(wide_want) & np.isfinite(wide_got)
    alike = (wide_want == wide_got) | (np.isnan(wide_want) & np.isnan(wide_got))
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.where(finite, _distance(want, got, wide_want, wide_got), np.where(alike, 0.0, np.inf))
    return Errors(
        error=apart,
        magnitude=np.where(np.isfinite(wide_want), np.abs(wide_want), 0.0),
        finite=finite,
        broken=~finite & ~alike,
    )


def as_float64(array: NDArray[Any]) -> Floats:
    """Return `array` in float64; integers above 2**53 are rounded."""
    return np.asarray(array).astype(np.float64)


def allowed(magnitude: Floats, rtol: float, atol: float) -> Floats:
    """Return `atol + rtol * magnitude`; an infinite rtol allows nothing at 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(atol + np.where(magnitude == 0, 0.0, rtol * magnitude))


def _distance(want: NDArray[Any], got: NDArray[Any], wide_want: Floats, wide_got: Floats) -> Floats:
    if want.dtype.kind not in "iu":
        return np.abs(wide_got - wide_want)
    low, high = np.minimum(want, got), np.maximum(want, got)
    # Modulo 2**64 the difference is exact for every pair of integers, where float64 would lose the low bits.
    return np.asarray((high.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64))
