"""Seeded inputs: random in the declared ranges, or picked from the samples."""

from builder.feeds.samples import recombined
from builder.feeds.sizes import Sizes
from builder.feeds.values import Array, drawn, generator
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model


def random_feed(model: Model, sizes: Sizes, seed: int, samples: Feed | None = None) -> Feed:
    """Return one array per input, the same for the same arguments in every process.

    Inputs whose values come from the samples alone have rows of `samples`, and so their sizes.

    Raises:
        SpecError: an integer input has no range, or samples are needed.
        KeyError: `sizes` lacks an axis.
    """
    picked = recombined(model, samples, sizes.get(model.batching.axis, 1), seed)
    return {
        name: picked[name] if name in picked else _array(name, given, sizes, seed)
        for name, given in model.inputs.items()
    }


def _array(name: str, given: Input, sizes: Sizes, seed: int) -> Array:
    shape = tuple(sizes[dim] if isinstance(dim, str) else dim for dim in given.shape)
    words = (f"{axis}={size}" for axis, size in sorted(sizes.items()))
    return drawn(name, given, shape, generator(seed, name, *words))
