"""Whether each row of a batch is answered as if it were alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from builder.compare import compare, tolerances
from builder.export.example import drawn
from builder.feeds import concat_rows, drawn_inputs, replace_rows, take_rows, typical_sizes
from builder.spec.loaded import Feed, Loaded, Runner
from builder.spec.project import Model, axis_range

_ODD: Final = 3
_SEED: Final = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGap:
    """The largest change of a row when its neighbours were replaced."""

    size: float
    """0: every row came back bit-equal; inf: a NaN, or a string or bool, changed."""
    where: str = ""
    """Which output, row and batch; empty when nothing changed."""
    ran: bool = True
    """False: the file does not run on such neighbours."""


def row_gap(loaded: Loaded, run: Runner, *, nan: bool) -> RowGap:
    """Replace all rows but one, by random ones or by NaN, and see whether that one changes.

    Same batch size, same position: the runtimes then compute the row in the same order, so that honest models
    give it back bit-equal, and mixing by any amount shows. Tried are the first, middle and last row of an odd
    batch, and the ends of the largest.
    """
    if nan and not _has_floats(loaded.model):
        return RowGap(size=0.0)
    gaps = [_gap(loaded, run, batch, keep, nan=nan) for batch, keep in _probes(loaded.model)]
    worst = max(gaps, key=lambda gap: gap.size)
    return RowGap(size=worst.size, where=worst.where, ran=all(gap.ran for gap in gaps))


def _gap(loaded: Loaded, run: Runner, batch: int, keep: int, *, nan: bool) -> RowGap:
    feed = _feed(loaded, batch, _SEED)
    others = replace_rows(loaded.model, feed, keep, seed=_SEED + 1, nan=nan, samples=loaded.samples)
    mixed = _ran(run, others, nan=nan)
    if mixed is None:
        return RowGap(size=0.0, ran=False)
    what = f"row {keep} of {batch} when the others became {'NaN' if nan else 'other random rows'}"
    return _change(run(feed), mixed, keep, what)


def concat_gap(loaded: Loaded, run: Runner) -> tuple[float, str]:
    """Return the largest difference of f(a, b) from f(a), f(b), and the problem if it is above tolerance."""
    batch = min(_ODD, _largest(loaded.model))
    together = _feed(loaded, batch, _SEED + 2)
    first, second = (take_rows(loaded.model, together, *part) for part in ((0, 1), (1, batch)))
    got = run(concat_rows(loaded.model, first, second))
    parts = run(first), run(second)
    if name := next((n for n in got if len({part[n].shape[1:] for part in (got, *parts)}) > 1), ""):
        return float("inf"), f"output `{name}`: its shape depends on what else is in the batch"
    want = {name: np.concatenate([part[name] for part in parts]) for name in got}
    gaps = compare(want, got, tolerances(loaded.model, loaded.signature))
    failed = [f"output `{gap.name}`: {gap.problem}" for gap in gaps if not gap.passed and gap.compared]
    broken = [gap for gap in gaps if not gap.passed and np.isinf(gap.needed_atol) and gap.compared]
    largest = max((gap.max_abs for gap in gaps), default=0.0)
    return float("inf") if broken else largest, "; ".join(failed)


def _probes(model: Model) -> Iterator[tuple[int, int]]:
    largest = _largest(model)
    odd = min(_ODD, largest)
    yield from ((odd, keep) for keep in sorted({0, odd // 2, odd - 1}))
    if largest > odd:
        yield from ((largest, keep) for keep in (0, largest - 1))


def _largest(model: Model) -> int:
    return axis_range(model, model.batching.axis).max


def _feed(loaded: Loaded, batch: int, seed: int) -> Feed:
    here = {**typical_sizes(loaded.model), loaded.model.batching.axis: batch}
    return drawn(loaded, here, seed)


def _ran(run: Runner, feed: Feed, *, nan: bool) -> dict[str, Any] | None:
    if not nan:
        return run(feed)
    try:
        return run(feed)
    except Exception:  # noqa: BLE001 - a NaN may end up as an index; that the row is refused says nothing about mixing
        return None


def _change(alone: Feed, mixed: Feed, keep: int, what: str) -> RowGap:
    worst = RowGap(size=0.0)
    for name, answer in alone.items():
        size = _distance(np.asarray(answer[keep]), np.asarray(mixed[name][keep]))
        worst = max(worst, RowGap(size=size, where=f"output `{name}`, {what}"), key=lambda gap: gap.size)
    return worst


def _distance(a: Any, b: Any) -> float:
    if a.shape != b.shape:
        return float("inf")
    if a.dtype.kind in "Ob":
        return 0.0 if np.array_equal(a, b) else float("inf")
    if a.tobytes() == b.tobytes():
        return 0.0
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    same = (wide_a == wide_b) | (np.isnan(wide_a) & np.isnan(wide_b))
    if bool(same.all()):
        return 0.0
    apart = np.abs(wide_a - wide_b)[~same]
    return float("inf") if not bool(np.isfinite(apart).all()) else float(apart.max())


def _has_floats(model: Model) -> bool:
    drawn = drawn_inputs(model).values()
    return any(given.dtype.is_float and model.batching.axis in given.shape for given in drawn)
