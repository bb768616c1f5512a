"""Rows of a feed along the batch axis: taken, put together, replaced."""

from collections.abc import Iterator

import numpy as np

from builder.feeds.random import random_feed
from builder.feeds.samples import drawn_inputs
from builder.feeds.sizes import Sizes
from builder.feeds.values import Array
from builder.spec.loaded import Feed
from builder.spec.project import Model


def all_batched(model: Model) -> bool:
    """Return whether every input begins with the batch axis, so that rows of several feeds can travel together."""
    return batched_inputs(model) == model.inputs.keys()


def batched_inputs(model: Model) -> frozenset[str]:
    """Return the inputs that begin with the batch axis, as a server that batches wants it."""
    axis = model.batching.axis
    return frozenset(name for name, given in model.inputs.items() if given.shape[:1] == (axis,))


def sizes_of(model: Model, feed: Feed) -> Sizes:
    """Return the size that every dynamic axis has in `feed`."""
    return {
        dim: feed[name].shape[n]
        for name, given in model.inputs.items()
        for n, dim in enumerate(given.shape)
        if isinstance(dim, str)
    }


def take_rows(model: Model, feed: Feed, start: int, stop: int) -> Feed:
    """Return rows `start` up to `stop`; inputs without the batch axis stay whole."""
    taken = dict(feed)
    for name, axis in batch_axes(model):
        rows = np.moveaxis(feed[name], axis, 0)[start:stop]
        taken[name] = np.ascontiguousarray(np.moveaxis(rows, 0, axis))
    return taken


def concat_rows(model: Model, first: Feed, second: Feed) -> Feed:
    """Return the rows of `first`, then of `second`; inputs without the batch axis are those of `first`."""
    together = dict(first)
    for name, axis in batch_axes(model):
        together[name] = np.concatenate([first[name], second[name]], axis=axis)
    return together


def replace_rows(
    model: Model, feed: Feed, keep: int, *, seed: int, nan: bool = False, samples: Feed | None = None
) -> Feed:
    """Return `feed` with row `keep` equal to the bit and every other row drawn anew, as `random_feed` does.

    With `nan`, the other rows of float inputs are NaN throughout, but for inputs whose values come from the samples
    alone. Inputs without the batch axis stay.
    """
    fresh = random_feed(model, sizes_of(model, feed), seed, samples)
    floats = [name for name, given in drawn_inputs(model).items() if given.dtype.is_float] if nan else []
    replaced = dict(feed)
    for name, axis in batch_axes(model):
        others = np.full_like(feed[name], np.nan) if name in floats else fresh[name]
        replaced[name] = _with_row(others, feed[name], axis, keep)
    return replaced


def batch_axes(model: Model) -> Iterator[tuple[str, int]]:
    """Yield each input that has the batch axis, and where."""
    for name, given in model.inputs.items():
        if model.batching.axis in given.shape:
            yield name, given.shape.index(model.batching.axis)


def _with_row(others: Array, kept: Array, axis: int, row: int) -> Array:
    array = others.copy()
    np.moveaxis(array, axis, 0)[row] = np.moveaxis(kept, axis, 0)[row]
    return array
