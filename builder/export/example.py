"""The inputs that exporters run the model on."""

import inspect
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import torch

from builder.feeds import random_feed
from builder.runtimes import as_tensor
from builder.spec.loaded import Feed, Loaded
from builder.spec.project import Model, axis_range
from builder.spec.tensors import Signature

_SEED: Final = 1


def example(loaded: Loaded) -> tuple[torch.Tensor, ...]:
    """Return one input of every kind, in signature order, at sizes that no other axis has."""
    feed = example_feed(loaded)
    return tuple(as_tensor(feed[tensor.name]) for tensor in loaded.signature.inputs)


def example_feed(loaded: Loaded) -> Feed:
    """Return the same as arrays by name."""
    return drawn(loaded, example_sizes(loaded.model, loaded.signature), _SEED)


def drawn(loaded: Loaded, sizes: Mapping[str, int], seed: int) -> Feed:
    """Return seeded inputs of `loaded`, picked from its samples where its values come from them."""
    return random_feed(loaded.model, sizes, seed, loaded.samples)


def example_sizes(model: Model, signature: Signature) -> dict[str, int]:
    """Return a size for every dynamic axis.

    Exporters take equal sizes for one axis, and bake in 0 and 1; so the sizes differ from each other and from
    every fixed number of the shapes where the ranges allow, and are at least 2.
    """
    taken = {dim for tensor in signature.inputs for dim in tensor.shape if isinstance(dim, int)}
    sizes: dict[str, int] = {}
    for axis in signature.axes():
        sizes[axis] = _free_size(model, axis, taken)
        taken.add(sizes[axis])
    return sizes


def _free_size(model: Model, axis: str, taken: set[int]) -> int:
    limits = axis_range(model, axis)
    start = min(max(2, limits.min), limits.max)
    free = next(size for size in count(start) if size not in taken)
    return free if free <= limits.max else start


def forward_shape(loaded: Loaded, per_input: tuple[Any, ...]) -> tuple[Any, ...]:
    """Nest one value per input as `forward` takes them: all that a `*args` of it takes is one tuple."""
    bound = inspect.signature(loaded.module.forward).bind(*per_input)
    return tuple(bound.arguments.values())
