"""Seeded random inputs in the declared ranges."""

from builder.feeds.sizes import Sizes
from builder.feeds.values import Array, drawn, generator
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model


def random_feed(model: Model, sizes: Sizes, seed: int) -> Feed:
    """Return one array per input, the same for the same arguments in every process.

    Raises:
        SpecError: an integer input has no range.
        KeyError: `sizes` lacks an axis.
    """
    return {name: _array(name, given, sizes, seed) for name, given in model.inputs.items()}


def _array(name: str, given: Input, sizes: Sizes, seed: int) -> Array:
    shape = tuple(sizes[dim] if isinstance(dim, str) else dim for dim in given.shape)
    words = (f"{axis}={size}" for axis, size in sorted(sizes.items()))
    return drawn(name, given, shape, generator(seed, name, *words))
