"""Answers at sizes that no sample has: only their shapes count, which show the axes of the outputs."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from builder.feeds import Case, label, random_feed, sizes
from builder.loading.opened import Opened
from builder.spec.loaded import Feed
from builder.spec.project import Model


def shapes_only(
    declared: Model, model: Model, samples: Feed | None, opened: Opened
) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Yield answers at the sizes that trb.yaml allows and the samples do not have; none where the model refuses.

    The samples are cut or repeated along their axes to make such inputs, which may not be real.

    Args:
        declared: the spec as it was read.
        model: the same with what the samples tell: one size of each axis of the inputs that are sampled.
        samples: the samples.
        opened: the source.
    """
    if declared.dims == model.dims:
        return
    for tried in sizes(declared):
        drawn = random_feed(model, tried, 0, samples)
        feed = {tensor.name: _sized(drawn[tensor.name], tensor.sized(tried)) for tensor in opened.inputs}
        try:
            answer = opened.reference(feed)
        except Exception:  # noqa: BLE001, S112 - such inputs may be refused; that is no finding
            continue
        yield Case(name=label(tried), sizes=tried, feed=feed), answer


def _sized(array: Any, shape: tuple[int, ...]) -> Any:
    for axis, size in enumerate(shape):
        array = np.take(array, np.arange(size) % array.shape[axis], axis)
    return array
