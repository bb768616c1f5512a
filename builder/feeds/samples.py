"""Real inputs: the first axis of every array is the samples, whatever the model's shape says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from builder.errors import SpecError
from builder.feeds.values import Array
from builder.feeds.wire import tensor_bytes
from builder.spec.loaded import Feed
from builder.spec.project import Axis, Input, Model

MOST_SAMPLES: Final = 256
"""So many are looked at, from the first on."""


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


def sampled_inputs(model: Model) -> tuple[str, ...]:
    """Return the inputs whose values come from the samples alone."""
    return tuple(name for name, given in model.inputs.items() if given.values == "samples")


def drawn_inputs(model: Model) -> Mapping[str, Input]:
    """Return the other inputs, whose values are drawn within their ranges."""
    return {name: given for name, given in model.inputs.items() if given.values == "range"}


def recombined(model: Model, samples: Feed | None, rows: int, seed: int) -> Feed:
    """Return `rows` rows of the inputs whose values come from the samples alone.

    Samples that differ follow each other, from the one that `seed` says, round and round; all inputs have the same
    ones. So a row differs from that of the next seed, where the samples do.

    Raises:
        SpecError: there are no samples.
    """
    names = sampled_inputs(model)
    if not names:
        return {}
    if samples is None or not sample_count(samples):
        raise SpecError(
            f"input {names[0]}: its values come from the samples, and there are none",
            fix="give the model `samples`, or leave `values: samples` out",
        )
    places = different(model, samples, names)
    picked = [places[(seed + row) % len(places)] for row in range(rows)]
    return {name: _rows(model, model.inputs[name], samples[name][picked]) for name in names}


def different(model: Model, samples: Feed, names: Sequence[str]) -> list[int]:
    """Return the first place of every sample that differs from those before it, as far as `names` go."""
    seen: dict[tuple[bytes, ...], int] = {}
    for place in range(min(sample_count(samples), MOST_SAMPLES)):
        content = (tensor_bytes(samples[name][place], model.inputs[name].dtype) for name in names)
        seen.setdefault(tuple(content), place)
    return list(seen.values())


def with_samples(model: Model, samples: Feed | None) -> Model:
    """Return `model` with what its samples tell.

    That is a range for every integer input that has none, the smallest and largest sample; and the samples' size for
    every axis, but the batch, of an input whose values come from them alone.
    """
    if samples is None:
        return model
    inputs = {
        name: replace(given, range=(float(samples[name].min()), float(samples[name].max())))
        if given.dtype.is_integer and given.range is None and samples[name].size
        else given
        for name, given in model.inputs.items()
    }
    sizes = {
        dim: Axis(min=size, max=size)
        for name in sampled_inputs(model)
        for dim, size in zip(sample_shape(model, model.inputs[name]), samples[name].shape[1:], strict=True)
        if isinstance(dim, str)
    }
    return replace(model, inputs=inputs, dims={**model.dims, **sizes})


def _rows(model: Model, given: Input, rows: Array) -> Array:
    if model.batching.axis not in given.shape:
        return np.asarray(rows[0])
    return np.ascontiguousarray(np.moveaxis(rows, 0, given.shape.index(model.batching.axis)))
