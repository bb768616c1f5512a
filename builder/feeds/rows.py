"""The neighbours of a row, replaced: the sharp test of row independence."""

from typing import Any, Literal

import numpy as np

from builder.feeds.values import generator, random_array
from builder.spec.loaded import Feed
from builder.spec.project import Model


def replace_rows(
    model: Model, feed: Feed, *, keep: int, how: Literal["random", "nan"], seed: int = 1
) -> Feed:
    """Return `feed` with row `keep` of every batched input bit-equal and every other row replaced.

    Args:
        model: tells the ranges and the batch axis, which must be the first of a batched input.
        feed: inputs at one size; inputs without the batch axis are passed on.
        keep: the row to keep.
        how: other values of the range, or NaN (float inputs only; others get random values).
        seed: of the random values.
    """
    return {name: _replaced(model, name, array, keep, how, seed) for name, array in feed.items()}


def _replaced(model: Model, name: str, array: Any, keep: int, how: str, seed: int) -> Any:
    tensor = model.inputs[name]
    if tensor.shape[:1] != (model.batching.axis,):
        return array
    other = random_array(tensor, array.shape, generator(seed, name, array.shape))
    if how == "nan" and tensor.dtype.is_float:
        other = np.full_like(array, np.nan)
    other[keep] = array[keep]
    return other
