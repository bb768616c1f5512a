"""Inputs at the edges of the declared ranges."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from builder.feeds.random import random_feed
from builder.feeds.sizes import Sizes
from builder.feeds.values import Array, Shape, generator, highest, lowest, zeros
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model

_SPECIAL_SHARE: Final = 0.1


def edge_feeds(model: Model, sizes: Sizes, seed: int = 0) -> Mapping[str, Feed]:
    """Return feeds by what they hold.

    `all-min` and `all-max`; `all-zero` where every range includes zero; `mixed`, each element at an edge or
    random. With `parity.special_values` also `nan` and `inf`: a tenth of each float input is that.
    """
    feeds = {"all-min": _each(model, sizes, lowest), "all-max": _each(model, sizes, highest)}
    nothing = {name: zeros(name, given, _shape(given, sizes)) for name, given in model.inputs.items()}
    if all(array is not None for array in nothing.values()):
        feeds["all-zero"] = nothing
    feeds["mixed"] = _mixed(model, feeds["all-min"], feeds["all-max"], random_feed(model, sizes, seed), seed)
    if model.parity.special_values and any(given.dtype.is_float for given in model.inputs.values()):
        feeds["nan"] = _special(model, sizes, seed, (np.nan,))
        feeds["inf"] = _special(model, sizes, seed, (np.inf, -np.inf))
    return feeds


def _each(model: Model, sizes: Sizes, fill: Callable[[str, Input, Shape], Array]) -> Feed:
    return {name: fill(name, given, _shape(given, sizes)) for name, given in model.inputs.items()}


def _mixed(model: Model, low: Feed, high: Feed, between: Feed, seed: int) -> Feed:
    feed: dict[str, Any] = {}
    for name in model.inputs:
        pick = generator(seed, "mixed", name).integers(0, 3, size=low[name].shape)
        array = between[name].copy()
        array[pick == 0] = low[name][pick == 0]
        array[pick == 1] = high[name][pick == 1]
        feed[name] = array
    return feed


def _special(model: Model, sizes: Sizes, seed: int, values: tuple[float, ...]) -> Feed:
    feed = dict(random_feed(model, sizes, seed))
    for name, given in model.inputs.items():
        if given.dtype.is_float:
            feed[name] = _sprinkled(feed[name], generator(seed, "special", name), values)
    return feed


def _sprinkled(array: Array, rng: np.random.Generator, values: tuple[float, ...]) -> Array:
    flat = array.ravel().copy()
    places = rng.choice(flat.size, size=max(1, int(flat.size * _SPECIAL_SHARE)), replace=False)
    flat[places] = rng.choice(np.array(values), size=places.size).astype(flat.dtype)
    return flat.reshape(array.shape)


def _shape(given: Input, sizes: Sizes) -> Shape:
    return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in given.shape)
