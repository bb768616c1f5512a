"""Arrays in the shapes of the protocol, which has no input or output without an axis of its own beside the batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from builder.spec.loaded import Feed


def ranks(config: Any) -> Mapping[str, int]:
    """Return how many axes each input of a ModelConfig message has on the wire, the batch axis included."""
    return {tensor.name: len(tensor.dims) + (config.max_batch_size > 0) for tensor in config.input}


def reshapes(tensors: Any) -> Mapping[str, tuple[int, ...]]:
    """Return the `reshape` of every input or output that has one."""
    return {tensor.name: tuple(tensor.reshape.shape) for tensor in tensors if tensor.HasField("reshape")}


def as_sent(feed: Feed, ranks: Mapping[str, int]) -> dict[str, Any]:
    """Return `feed` with axes of 1 appended to every input of a smaller rank than `ranks` says."""
    arrays = {name: np.asarray(array) for name, array in feed.items()}
    return {
        name: array.reshape(array.shape + (1,) * max(0, ranks.get(name, 0) - array.ndim))
        for name, array in arrays.items()
    }


def as_answered(answer: Mapping[str, Any], reshapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Return outputs as the model gave them: without the axis of 1 that `reshape: {}` adds."""
    return {
        name: array[..., 0] if reshapes.get(name) == () and array.shape[-1:] == (1,) else array
        for name, array in answer.items()
    }
