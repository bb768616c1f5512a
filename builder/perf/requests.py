"""Whole requests of a given number of rows, out of feeds of any number."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from builder.errors import UsageError
from builder.feeds import all_batched
from builder.spec.loaded import Feed
from builder.spec.project import Model, axis_range

MOST_REQUESTS: Final = 32
"""Different requests sent in turn: enough that no cache holds them all, few enough to keep in memory."""


def requests(model: Model, feeds: Sequence[Feed], batch: int) -> tuple[Feed, ...]:
    """Return up to 32 requests of `batch` rows: those of all `feeds` in order, repeated where they run short.

    Rows share a request only where they have the same shape; a model without a batch axis gets its feeds as
    they are.

    Raises:
        UsageError: there is nothing to send, or more rows than the model takes.
    """
    if not feeds:
        raise UsageError(
            "there is nothing to send", fix="give samples, a range for every input, or --input-data"
        )
    largest = axis_range(model, model.batching.axis).max
    if all_batched(model) and batch > largest:
        raise UsageError(
            f"{batch} rows per request, but trb.yaml declares at most {largest}",
            fix=f"measure with a smaller batch, or raise dims.{model.batching.axis}.max",
        )
    if not all_batched(model):
        if batch != 1:
            raise UsageError(
                f"{batch} rows per request, but not every input begins with the axis {model.batching.axis}",
                fix="measure with a batch of 1",
            )
        return tuple(feeds[:MOST_REQUESTS])
    if not any(len(next(iter(feed.values()))) for feed in feeds):
        raise UsageError("the inputs have no rows", fix="give at least one row of every input")
    groups: dict[tuple[tuple[int, ...], ...], list[Feed]] = {}
    for row in islice(_rows(feeds), MOST_REQUESTS * batch):
        groups.setdefault(shapes(row), []).append(row)
    return tuple(one for rows in groups.values() for one in _full(rows, batch))


def shapes(feed: Feed) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of a feed, in the order of its names."""
    return tuple(np.shape(feed[name]) for name in sorted(feed))


def _rows(feeds: Sequence[Feed]) -> Iterator[Feed]:
    for feed in feeds:
        count = min(len(array) for array in feed.values())
        yield from ({name: array[k : k + 1] for name, array in feed.items()} for k in range(count))


def _full(rows: Sequence[Feed], batch: int) -> Iterator[Feed]:
    for start in range(0, len(rows), batch):
        chosen = [rows[k % len(rows)] for k in range(start, start + batch)]
        yield {name: _joined([row[name] for row in chosen]) for name in rows[0]}


def _joined(arrays: Sequence[Any]) -> Any:
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
