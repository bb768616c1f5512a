"""Real inputs: the first axis of every array is the samples, whatever the model's shape says."""

from dataclasses import replace

import numpy as np

from builder.feeds.values import Array
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model


def sample_count(samples: Feed) -> int:
    """Return how many samples there are."""
    return min((len(array) for array in samples.values()), default=0)


def sample_rows(model: Model, samples: Feed, start: int, stop: int) -> Feed:
    """Return samples `start` up to `stop` as one feed.

    An input without the batch axis takes the first of them.
    """
    return {name: _rows(model, given, samples[name][start:stop]) for name, given in model.inputs.items()}


def sample_shape(model: Model, given: Input) -> tuple[int | str, ...]:
    """Return the shape of one sample of an input: the declared one without the batch axis."""
    return tuple(dim for dim in given.shape if dim != model.batching.axis)


def with_sample_ranges(model: Model, samples: Feed | None) -> Model:
    """Return `model` with a range for every integer input that has none: the smallest and largest sample."""
    if samples is None:
        return model
    inputs = {
        name: replace(given, range=(float(samples[name].min()), float(samples[name].max())))
        if given.dtype.is_integer and given.range is None and samples[name].size
        else given
        for name, given in model.inputs.items()
    }
    return replace(model, inputs=inputs)


def _rows(model: Model, given: Input, rows: Array) -> Array:
    if model.batching.axis not in given.shape:
        return np.asarray(rows[0])
    return np.ascontiguousarray(np.moveaxis(rows, 0, given.shape.index(model.batching.axis)))
