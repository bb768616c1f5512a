"""Guesses put to the test: `forward` is run on them, at several sizes and at the edges of their ranges."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final

import torch
from torch import nn

from builder.feeds import edge_feeds, random_feed
from builder.loading.guess_candidates import Candidate
from builder.runtimes import as_tensor
from builder.spec.loaded import Feed
from builder.spec.project import Axis, Input, Model, axes

_MOST_TRIALS: Final = 2000
_SECONDS: Final = 20.0
_TRIED: Final[tuple[Mapping[str, int], ...]] = (
    {"batch": 2, "seq": 5, "length": 64, "depth": 16, "height": 64, "width": 48},
    {"batch": 3, "seq": 9, "length": 96, "depth": 24, "height": 48, "width": 80},
)
_SMALLEST: Final = (1, 2, 4, 8, 16, 32)
_LARGEST: Final = (512, 256, 128, 64, 32)


@dataclass(slots=True)
class Clock:
    """How long trials may go on: `trb init` must not hang on a large model."""

    ends: float = field(default_factory=lambda: time.monotonic() + _SECONDS)

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return time.monotonic() > self.ends


Found = Mapping[str, Candidate]


def first_that_runs(
    module: nn.Module, options: Mapping[str, tuple[Candidate, ...]], clock: Clock
) -> Found | None:
    """Return one candidate per argument with which `forward` runs, at two sizes and at the edges, or None."""
    for chosen in islice(product(*options.values()), _MOST_TRIALS):
        if clock.is_over:
            return None
        found = dict(zip(options, chosen, strict=True))
        if all(_runs(module, feed) for feed in _feeds(found)):
            return found
    return None


def limits(module: nn.Module, found: Found, clock: Clock) -> Mapping[str, Axis]:
    """Return the smallest and largest size that ran of every axis but `batch`, of the sizes worth trying."""
    tables = {layer.num_embeddings for layer in module.modules() if isinstance(layer, nn.Embedding)}
    largest = sorted({*_LARGEST, *(rows for rows in tables if rows < _LARGEST[0])}, reverse=True)
    return {
        axis: Axis(
            min=_first(module, found, axis, _SMALLEST, clock, _TRIED[0][axis]),
            max=_first(module, found, axis, largest, clock, max(tried[axis] for tried in _TRIED)),
        )
        for axis in axes(spec(found))
        if axis != "batch"
    }


def spec(found: Found) -> Model:
    """Return a Model with these inputs, as feeds want it."""
    inputs = {name: Input(dtype=one.dtype, shape=one.shape, range=one.range) for name, one in found.items()}
    return Model(source="guess:guess", inputs=inputs)


def _first(module: nn.Module, found: Found, axis: str, sizes: Any, clock: Clock, otherwise: int) -> int:
    for size in sizes:
        if clock.is_over:
            break
        if _runs(module, random_feed(spec(found), {**_TRIED[0], "batch": 1, axis: size}, seed=0)):
            return int(size)
    return otherwise


def _feeds(found: Found) -> Iterator[Feed]:
    model = spec(found)
    for tried in _TRIED:
        yield random_feed(model, tried, seed=0)
    yield from edge_feeds(model, _TRIED[0]).values()


def _runs(module: nn.Module, feed: Feed) -> bool:
    try:
        with torch.inference_mode():
            module(**{name: as_tensor(array) for name, array in feed.items()})
    except Exception:  # noqa: BLE001 - a trial: whatever the user's forward raises says that the guess is wrong
        return False
    return True
