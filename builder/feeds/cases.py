"""Every input that a hop is compared on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from builder.feeds.sizes import sizes
from builder.feeds.values import edge_feeds, random_feed
from builder.spec.loaded import Feed
from builder.spec.project import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs."""

    name: str
    """Such as `random batch=3 seq=17`."""
    sizes: Mapping[str, int]
    feed: Feed


def cases(model: Model, samples: Feed | None = None) -> tuple[Case, ...]:
    """Return random inputs at every size that matters, the edges of the ranges, and the user's samples."""
    return (*_random(model), *_edges(model), *_samples(model, samples))


def sample_case(model: Model, samples: Feed, rows: int) -> Case:
    """Return the first `rows` samples (repeated if there are fewer) as one case."""
    taken = {name: np.resize(array, (rows, *array.shape[1:])) if len(array) < rows else array[:rows]
             for name, array in samples.items()}  # fmt: skip
    found = _sizes_of(model, taken)
    return Case(name=f"samples {_spelt(found)}", sizes=found, feed=taken)


def _random(model: Model) -> Iterator[Case]:
    for found in sizes(model):
        yield Case(
            name=f"random {_spelt(found)}", sizes=found, feed=random_feed(model, found, model.parity.seed)
        )


def _edges(model: Model) -> Iterator[Case]:
    smallest, *others = sizes(model)
    found = others[0] if others else smallest
    for kind, feed in edge_feeds(model, found):
        yield Case(name=f"{kind} {_spelt(found)}", sizes=found, feed=feed)


def _samples(model: Model, samples: Feed | None) -> Iterator[Case]:
    if samples is None:
        return
    count = len(next(iter(samples.values())))
    batch = model.batching.axis
    batched = any(batch in tensor.shape for tensor in model.inputs.values())
    largest = max(found.get(batch, 1) for found in sizes(model))
    for rows in sorted({1, min(largest, count)}) if batched else [count]:
        yield sample_case(model, samples, rows)


def _sizes_of(model: Model, feed: Mapping[str, Any]) -> Mapping[str, int]:
    return {
        dim: int(size)
        for name, tensor in model.inputs.items()
        for dim, size in zip(tensor.shape, feed[name].shape, strict=True)
        if isinstance(dim, str)
    }


def _spelt(found: Mapping[str, int]) -> str:
    return " ".join(f"{axis}={size}" for axis, size in found.items()) or "fixed size"
