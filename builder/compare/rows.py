"""Agreement of whole rows: direction and ranking."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from builder.compare.errors_by_element import Floats, as_float64


def smallest_cosine(want: NDArray[Any], got: NDArray[Any]) -> float:
    """Return the smallest cosine similarity of a row of `got` with its row of `want`.

    A row is all that shares the first index; an array of one dimension is one row. Equal rows, two rows of
    zeros included, give exactly 1; a row of zeros against another gives 0. Elements that are not finite are
    left out.
    """
    wide_want, wide_got = _rows(want), _rows(got)
    if wide_want.size == 0:
        return 1.0
    usable = np.isfinite(wide_want) & np.isfinite(wide_got)
    a, b = (_scaled(np.where(usable, rows, 0.0)) for rows in (wide_want, wide_got))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.divide((a * b).sum(axis=1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    cosine = np.where((a == b).all(axis=1), 1.0, np.clip(cosine, -1.0, 1.0))
    return float(cosine.min())


def top_k_agreement(want: NDArray[Any], got: NDArray[Any], k: int) -> float:
    """Return the share of rows along the last axis whose k largest values are at the same places.

    Ties are equal: a row agrees if some choice among tied values makes both choices of k places the same.
    NaN counts as the smallest value.
    """
    want_rows, got_rows = _ranked(want), _ranked(got)
    if want_rows.size == 0:
        return 1.0
    k = min(k, want_rows.shape[1])
    want_in, want_may = _surely_and_maybe(want_rows, k)
    got_in, got_may = _surely_and_maybe(got_rows, k)
    needed, open_to_both = want_in | got_in, want_may & got_may
    agrees = (
        (needed <= open_to_both).all(axis=1) & (needed.sum(axis=1) <= k) & (open_to_both.sum(axis=1) >= k)
    )
    return float(agrees.mean())


def _surely_and_maybe(rows: NDArray[Any], k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which places are above the k-th largest value of their row, and which are at least it."""
    kth = np.partition(rows, rows.shape[1] - k, axis=1)[:, rows.shape[1] - k, None]
    return rows > kth, rows >= kth


def _ranked(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "iu":  # integers rank exactly as they are
        array = as_float64(array)
        array = np.where(np.isnan(array), -np.inf, array)
    return array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)


def _rows(array: NDArray[Any]) -> Floats:
    wide = as_float64(array)
    return wide.reshape(len(wide), -1) if wide.ndim > 1 and wide.size else wide.reshape(1, -1)


def _scaled(rows: Floats) -> Floats:
    """Return rows divided by their largest magnitude, so that squares neither overflow nor vanish."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return rows / np.where(largest > 0, largest, 1.0)
