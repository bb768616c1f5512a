"""What a load sends: the user's file, the samples, or seeded values in the declared ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from builder.errors import UsageError
from builder.feeds import all_batched, random_feed, sampled_inputs
from builder.perf.input_file import read_input_file
from builder.perf.requests import MOST_REQUESTS
from builder.spec.loaded import Feed
from builder.spec.project import Model, axes, axis_range

_MOST_BYTES: Final = 256 << 20
_FEEDS_WITHOUT_ROWS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user wants sent; nothing: the samples, else random values."""

    file: Path | None = None
    """An .npz of arrays by input name, or perf_analyzer's JSON."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    """Sizes of dynamic axes other than the batch axis. The default is an axis's max: the heaviest request."""

    batch: int = 1
    """Rows per request, of the largest load."""

    seed: int = 0


def inputs(model: Model, samples: Feed | None, wish: Wish) -> tuple[tuple[Feed, ...], str]:
    """Return feeds in full shapes, and where they came from, with the sizes of the dynamic axes.

    Samples are left aside for random values where they have other sizes than those wished for.

    Raises:
        UsageError: a file that cannot be read or does not fit the model, an axis or a size that the spec does
            not
            have, or an integer input with nothing known of its values.
    """
    _require_known(model, wish.sizes)
    if wish.file is not None:
        feeds = read_input_file(wish.file, model)
        _require_sizes(model, feeds, wish)
        return feeds, f"{wish.file.name}, {_amount(model, feeds, wish.batch)}"
    if samples is not None and _has_sizes(model, samples, wish.sizes):
        return (samples,), f"samples, {_amount(model, (samples,), wish.batch)}"
    return _random(model, samples, wish)


def _random(model: Model, samples: Feed | None, wish: Wish) -> tuple[tuple[Feed, ...], str]:
    _require_drawn(model, samples)
    _require_ranges(model)
    batch = model.batching.axis
    sizes = {axis: wish.sizes.get(axis, axis_range(model, axis).max) for axis in axes(model)}
    if all_batched(model):
        sizes[batch] = _rows(model, sizes | {batch: 1}, wish.batch)
        feeds: tuple[Feed, ...] = (random_feed(model, sizes, wish.seed),)
    else:
        feeds = tuple(random_feed(model, sizes, wish.seed + k) for k in range(_FEEDS_WITHOUT_ROWS))
    asked = "" if set(wish.sizes) >= _free_axes(model) else " (the largest that trb.yaml declares)"
    return (
        feeds,
        f"random values of the declared range (seed {wish.seed}), {_amount(model, feeds, wish.batch)}{asked}",
    )


def _rows(model: Model, sizes: Mapping[str, int], batch: int) -> int:
    """Return enough rows for different requests, in bounded memory; never fewer than one request has."""
    row_bytes = sum(array.nbytes for array in random_feed(model, sizes, 0).values())
    return max(batch, min(MOST_REQUESTS * batch, _MOST_BYTES // max(int(row_bytes), 1) // batch * batch))


def _free_axes(model: Model) -> set[str]:
    return set(axes(model)) - ({model.batching.axis} if all_batched(model) else set())


def _require_known(model: Model, sizes: Mapping[str, int]) -> None:
    free = _free_axes(model)
    for axis, size in sizes.items():
        if axis not in free:
            known = ", ".join(sorted(free)) or "none"
            hint = "give --batch for rows per request" if axis == model.batching.axis else f"it has: {known}"
            raise UsageError(f"{axis}={size}: no input has a free axis {axis}", fix=hint)
        limits = axis_range(model, axis)
        if not limits.min <= size <= limits.max:
            raise UsageError(
                f"{axis}={size} is outside {limits.min} to {limits.max}",
                fix=f"choose a size inside, or change dims.{axis} in trb.yaml",
            )


def _require_ranges(model: Model) -> None:
    for name, tensor in model.inputs.items():
        if tensor.dtype.is_integer and tensor.range is None:
            raise UsageError(
                f"nothing is known of the values of {name}",
                fix=f"declare inputs.{name}.range, or give --input-data",
            )


def _require_drawn(model: Model, samples: Feed | None) -> None:
    if names := sampled_inputs(model):
        has = _spelt(_sizes(model, (samples,))) if samples is not None else "no samples"
        raise UsageError(
            f"the values of {names[0]} come from the samples alone, which have {has}",
            fix="leave --size out, or give --input-data",
        )


def _require_sizes(model: Model, feeds: Sequence[Feed], wish: Wish) -> None:
    if not all(_has_sizes(model, feed, wish.sizes) for feed in feeds):
        raise UsageError(
            f"{wish.file} has {_spelt(_sizes(model, feeds))}, other sizes are asked for",
            fix="leave --size out, or give a file of that size",
        )


def _has_sizes(model: Model, feed: Feed, sizes: Mapping[str, int]) -> bool:
    return all(_sizes(model, (feed,)).get(axis) == {size} for axis, size in sizes.items())


def _sizes(model: Model, feeds: Sequence[Feed]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {axis: set() for axis in axes(model) if axis in _free_axes(model)}
    for feed in feeds:
        for name, tensor in model.inputs.items():
            for dim, size in zip(tensor.shape, np.shape(feed[name]), strict=True):
                if dim in found:
                    found[str(dim)].add(size)
    return found


def _spelt(sizes: Mapping[str, set[int]]) -> str:
    return ", ".join(
        f"{axis}={min(seen)}" if len(seen) == 1 else f"{axis}={min(seen)} to {max(seen)}"
        for axis, seen in sizes.items()
        if seen
    )


def _amount(model: Model, feeds: Sequence[Feed], batch: int) -> str:
    batched = all_batched(model)
    count = sum(len(next(iter(feed.values()))) for feed in feeds) if batched else len(feeds)
    sent = min(count, MOST_REQUESTS * (batch if batched else 1))
    unit = ("row" if batched else "request") + ("s" if count != 1 else "")
    amount = f"{count} {unit}" if sent == count else f"the first {sent} of {count} {unit}"
    return ", ".join(filter(None, (amount, _spelt(_sizes(model, feeds)))))
