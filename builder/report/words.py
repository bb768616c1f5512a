"""How figures read."""

import math

from builder.spec.project import Tolerance

_KILO = 1024


def number(value: float | None) -> str:
    """Return a figure in three significant digits; `-` for none."""
    return "-" if value is None else f"{value:.3g}"


def size(count: int) -> str:
    """Return a number of bytes in the unit that reads best."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= _KILO and len(units) > 1:
        amount, units = amount / _KILO, units[1:]
    return f"{amount:.3g} {units[0]}" if units[0] != "B" else f"{count} B"


def tolerance(given: Tolerance) -> str:
    """Return a tolerance, without what it does not ask."""
    asked = (
        ("rtol", given.rtol),
        ("atol", given.atol),
        ("top", given.top_k),
        ("cosine", given.cosine_min),
        ("max", given.max_error),
        ("mean", given.mean_error),
        ("p99", given.p99_error),
    )
    return ", ".join(f"{name} {value:g}" for name, value in asked if value is not None) or "-"


def would_have_passed(needed_rtol: float, needed_atol: float, given: Tolerance) -> str:
    """Return the tolerance that allclose would have passed at."""
    rtol, atol = f"{given.rtol or 0:g}", f"{given.atol or 0:g}"
    ways = [
        f"rtol {needed_rtol:.3g} at atol {atol}" if math.isfinite(needed_rtol) else "",
        f"atol {needed_atol:.3g} at rtol {rtol}" if math.isfinite(needed_atol) else "",
    ]
    return ", or ".join(way for way in ways if way) or "none"


def plural(count: int, noun: str) -> str:
    """Return `1 model` or `2 models`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
