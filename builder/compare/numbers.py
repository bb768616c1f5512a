"""How far one numeric output is from its reference."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from builder.compare.errors_by_element import Errors, Facts, Floats, allowed, errors
from builder.compare.rows import smallest_cosine, top_k_agreement
from builder.spec.project import Tolerance
from builder.spec.results import OutputGap

_MARGIN: Final = 1 + 4 * float(
    np.finfo(np.float64).eps
)  # more than the roundings of the needed tolerance add up to


def numeric_gap(name: str, want: NDArray[Any], got: NDArray[Any], tolerance: Tolerance) -> OutputGap:
    """Compare arrays of the same numeric dtype and shape, at least one element; rtol and atol are given."""
    rtol, atol = tolerance.rtol or 0.0, tolerance.atol or 0.0
    found = errors(want, got)
    finite = found.error[found.finite]
    worst = _worst(found, rtol, atol)
    share = None if tolerance.top_k is None else top_k_agreement(want, got, tolerance.top_k)
    gap = OutputGap(
        name=name,
        passed=True,
        compared=want.size,
        bit_identical=np.array_equal(_bits(want), _bits(got)),
        max_abs=float(finite.max(initial=0.0)),
        max_rel=_largest_relative(found),
        mean_abs=_mean(finite),
        p99_abs=float(np.quantile(finite, 0.99, method="higher")) if finite.size else 0.0,
        cosine=smallest_cosine(want, got),
        top_k_agreement=share,
        worst_index=worst,
        worst_want=float(want[worst]),
        worst_got=float(got[worst]),
        needed_rtol=_needed_rtol(found, atol),
        needed_atol=_needed_atol(found, rtol),
        tolerance=tolerance,
    )
    problems = (*_beyond(found, want, got, gap), *_broken_wishes(gap))
    return replace(gap, passed=not problems, problem="; ".join(problems))


def _bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _beyond(found: Errors, want: NDArray[Any], got: NDArray[Any], gap: OutputGap) -> tuple[str, ...]:
    rtol, atol = gap.tolerance.rtol or 0.0, gap.tolerance.atol or 0.0
    count = int(found.beyond(rtol, atol).sum())
    if not count:
        return ()
    place = f"at {list(gap.worst_index)} want {want[gap.worst_index]}, got {got[gap.worst_index]}"
    if broken := int(found.broken.sum()):
        return (f"{place}; NaN or infinity disagrees in {broken} of {gap.compared} elements",)
    return (f"{place}; {count} of {gap.compared} elements are beyond rtol {rtol:g}, atol {atol:g}",)


def _broken_wishes(gap: OutputGap) -> tuple[str, ...]:
    wish = gap.tolerance
    ceilings = (
        ("largest", gap.max_abs, wish.max_error),
        ("mean", gap.mean_abs, wish.mean_error),
        ("99th percentile of the", gap.p99_abs, wish.p99_error),
    )
    above = [
        f"the {what} absolute error {value:.6g} is above {ceiling:g}"
        for what, value, ceiling in ceilings
        if ceiling is not None and value > ceiling
    ]
    if wish.cosine_min is not None and gap.cosine < wish.cosine_min:
        above.append(f"the cosine similarity {gap.cosine:.9g} of a row is below {wish.cosine_min:g}")
    if gap.top_k_agreement is not None and gap.top_k_agreement < 1:
        above.append(f"the top {wish.top_k} agree in only {gap.top_k_agreement:.2%} of the rows")
    return tuple(above)


def _worst(found: Errors, rtol: float, atol: float) -> tuple[int, ...]:
    """Return the element that decides: one that no tolerance mends, else the largest excess."""
    with np.errstate(invalid="ignore"):
        excess = found.error - allowed(found.magnitude, rtol, atol)
    excess = np.where(np.isnan(excess), -np.inf, excess)
    flat = int(np.argmax(found.broken if found.broken.any() else excess))
    return tuple(int(i) for i in np.unravel_index(flat, found.error.shape))


def _mean(errors_of_finite: Floats) -> float:
    with np.errstate(over="ignore"):
        return float(errors_of_finite.mean()) if errors_of_finite.size else 0.0


def _largest_relative(found: Errors) -> float:
    usable = found.finite & (found.magnitude > 0)
    with np.errstate(over="ignore"):
        return float((found.error[usable] / found.magnitude[usable]).max(initial=0.0))


def _needed_rtol(found: Errors, atol: float) -> float:
    short = found.error > atol
    if found.broken.any() or bool((short & (found.magnitude == 0)).any()):
        return float("inf")
    with np.errstate(over="ignore"):
        return _up((found.error * _MARGIN - atol)[short] / found.magnitude[short])


def _needed_atol(found: Errors, rtol: float) -> float:
    if found.broken.any():
        return float("inf")
    free = allowed(found.magnitude, rtol, 0.0)
    short: Facts = found.error > free
    with np.errstate(over="ignore", invalid="ignore"):
        return _up((found.error * _MARGIN - free)[short])


def _up(needed: Floats) -> float:
    """Return the largest of `needed`, rounded up."""
    return float(np.nextafter(needed.max(), np.inf)) if needed.size else 0.0
