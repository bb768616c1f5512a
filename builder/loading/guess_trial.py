"""Guesses put to the test: `forward` is run on them, at several sizes and at the edges of their ranges."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from builder.feeds import edge_feeds, random_feed
from builder.loading.flatten import tensors
from builder.loading.guessed import Candidate
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One candidate per argument, with which `forward` runs."""

    inputs: Mapping[str, Candidate]
    held: int | None = None
    """The value of all masks at which it runs, where it does not at all that they may have."""


def first_that_runs(
    module: nn.Module, options: Mapping[str, tuple[Candidate, ...]], clock: Clock
) -> Found | None:
    """Return candidates with which `forward` runs, at two sizes and at the edges of all inputs but masks, or None."""
    for chosen in islice(product(*options.values()), _MOST_TRIALS):
        if clock.is_over:
            return None
        inputs = dict(zip(options, chosen, strict=True))
        if (found := that_run(module, inputs)) is not None and _end_where_they_must(module, found):
            return found
    return None


def that_run(module: nn.Module, inputs: Mapping[str, Candidate]) -> Found | None:
    """Return `inputs` if `forward` runs on them, at all their values or at one value of the masks."""
    has_masks = any(one.is_mask for one in inputs.values())
    for held in (None, 0, 1) if has_masks else (None,):
        found = Found(inputs=inputs, held=held)
        if all(_run(module, feed) is not None for feed in _feeds(found)):
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
    inputs = {
        name: Input(dtype=one.dtype, shape=one.shape, range=one.range) for name, one in found.inputs.items()
    }
    return Model(source="guess:guess", inputs=inputs)


def answers(module: nn.Module, found: Found, **instead: int) -> tuple[torch.Tensor, ...] | None:
    """Return the outputs for random inputs, some of them filled with a value; None where `forward` refuses."""
    feed = dict(_held(random_feed(spec(found), _TRIED[0], seed=0), found))
    feed |= {name: np.full_like(feed[name], value) for name, value in instead.items()}
    return _run(module, feed)


def _end_where_they_must(module: nn.Module, found: Found) -> bool:
    """Whether a value above its range is refused wherever that is the proof."""
    ends = {name: int(one.range[1]) + 1 for name, one in found.inputs.items() if one.must_end and one.range}
    return all(answers(module, found, **{name: end}) is None for name, end in ends.items())


def _first(module: nn.Module, found: Found, axis: str, sizes: Any, clock: Clock, otherwise: int) -> int:
    for size in sizes:
        if clock.is_over:
            break
        feed = random_feed(spec(found), {**_TRIED[0], "batch": 1, axis: size}, seed=0)
        if _run(module, _held(feed, found)) is not None:
            return int(size)
    return otherwise


def _feeds(found: Found) -> Iterator[Feed]:
    model = spec(found)
    feeds = (random_feed(model, tried, seed=0) for tried in _TRIED)
    edges = edge_feeds(model, _TRIED[0]).values()
    yield from (_held(feed, found) for feed in (*feeds, *edges))


def _held(feed: Feed, found: Found) -> Feed:
    """Return `feed` with all masks at the value at which they run, where there is one."""
    if found.held is None:
        return feed
    masks = {name for name, one in found.inputs.items() if one.is_mask}
    return {name: np.full_like(array, found.held) if name in masks else array for name, array in feed.items()}


def _run(module: nn.Module, feed: Feed) -> tuple[torch.Tensor, ...] | None:
    try:
        with torch.inference_mode():
            return tensors(module(**{name: as_tensor(array) for name, array in feed.items()}))
    except Exception:  # noqa: BLE001 - a trial: whatever the user's forward raises says that the guess is wrong
        return None
