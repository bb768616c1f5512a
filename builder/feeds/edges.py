"""Inputs at the edges of the declared ranges."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from builder.feeds.random import random_feed
from builder.feeds.samples import drawn_inputs
from builder.feeds.sizes import Sizes
from builder.feeds.values import Array, Shape, generator, highest, lowest, zeros
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model

_SPECIAL_SHARE: Final = 0.1


def edge_feeds(model: Model, sizes: Sizes, seed: int = 0, samples: Feed | None = None) -> Mapping[str, Feed]:
    """Return feeds by what they hold.

    `all-min` and `all-max`; `all-zero` where every range includes zero; `mixed`, each element at an edge or
    random. With `parity.special_values` also `nan` and `inf`: a tenth of each float input is that. Inputs whose
    values come from the samples alone have some of those in each; where all inputs do, there are no edges.
    """
    drawn, free = random_feed(model, sizes, seed, samples), drawn_inputs(model)
    if not free:
        return {}
    low, high = _each(free, sizes, lowest), _each(free, sizes, highest)
    edges: dict[str, Mapping[str, Any]] = {"all-min": low, "all-max": high}
    nothing = _each(free, sizes, zeros)
    if all(array is not None for array in nothing.values()):
        edges["all-zero"] = nothing
    edges["mixed"] = _mixed(low, high, drawn, seed)
    floats = tuple(name for name, given in free.items() if given.dtype.is_float)
    if model.parity.special_values and floats:
        edges["nan"] = _special(floats, drawn, seed, (np.nan,))
        edges["inf"] = _special(floats, drawn, seed, (np.inf, -np.inf))
    return {what: {**drawn, **feed} for what, feed in edges.items()}


def _each(
    inputs: Mapping[str, Input], sizes: Sizes, fill: Callable[[str, Input, Shape], Array | None]
) -> Mapping[str, Any]:
    return {name: fill(name, given, _shape(given, sizes)) for name, given in inputs.items()}


def _mixed(low: Feed, high: Feed, between: Feed, seed: int) -> Feed:
    feed: dict[str, Any] = {}
    for name in low:
        pick = generator(seed, "mixed", name).integers(0, 3, size=low[name].shape)
        array = between[name].copy()
        array[pick == 0] = low[name][pick == 0]
        array[pick == 1] = high[name][pick == 1]
        feed[name] = array
    return feed


def _special(names: tuple[str, ...], between: Feed, seed: int, values: tuple[float, ...]) -> Feed:
    return {name: _sprinkled(between[name], generator(seed, "special", name), values) for name in names}


def _sprinkled(array: Array, rng: np.random.Generator, values: tuple[float, ...]) -> Array:
    flat = array.ravel().copy()
    places = rng.choice(flat.size, size=max(1, int(flat.size * _SPECIAL_SHARE)), replace=False)
    flat[places] = rng.choice(np.array(values), size=places.size).astype(flat.dtype)
    return flat.reshape(array.shape)


def _shape(given: Input, sizes: Sizes) -> Shape:
    return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in given.shape)
