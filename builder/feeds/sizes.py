"""Which sizes of the dynamic axes are tried."""

from collections.abc import Mapping
from math import prod
from typing import Final

from builder.spec.project import Axis, Model, axes, axis_range, has_batch_axis
from builder.spec.tensors import Signature, Tensor

Sizes = Mapping[str, int]
"""A size for every dynamic axis."""

_ODD_BATCH: Final = 3
_ODD_LENGTH: Final = 17
_MOST_BYTES: Final = 256 << 20
_STRING_BYTES: Final = 64


def sizes(model: Model) -> tuple[Sizes, ...]:
    """Return the combinations of axis sizes that a model is tried at, each once.

    First the batch axis at 1, 2, 3 and its maximum, the others at a typical size (17, or an odd one near the
    middle). Then all others at their maximum with batch 1, and at their minimum with batch 3. Then each alone
    at its maximum with batch 2. Sparse on purpose: the largest batch meets the longest axes in `heaviest` alone.
    """
    typical = typical_sizes(model)
    batch = model.batching.axis
    others = {axis: axis_range(model, axis) for axis in typical if axis != batch}
    tried = [_with_batch(model, typical, size) for size in batch_sizes(model)] or [typical]
    if others:
        longest = {axis: limits.max for axis, limits in others.items()}
        shortest = {axis: limits.min for axis, limits in others.items()}
        tried.append(_with_batch(model, {**typical, **longest}, 1))
        tried.append(_with_batch(model, {**typical, **shortest}, _ODD_BATCH))
        tried += [_with_batch(model, {**typical, axis: size}, 2) for axis, size in longest.items()]
    return _distinct(tried)


def heaviest(model: Model) -> Sizes:
    """Return every axis at its maximum, the batch axis too: the most that a server can be sent."""
    return {axis: axis_range(model, axis).max for axis in axes(model)}


def too_heavy(model: Model, signature: Signature) -> str:
    """Return that `heaviest` is not run, as its tensors are too large, in a sentence; empty where it is.

    An axis that outputs alone have counts as the longest of the inputs' axes.
    """
    most = heaviest(model)
    size = sum(_bytes(tensor, most) for tensor in (*signature.inputs, *signature.outputs))
    if size <= _MOST_BYTES or most in sizes(model):
        return ""
    have, limit = size >> 20, _MOST_BYTES >> 20
    return (
        f"at {label(most)}: inputs and outputs have {have:,} MB together, and at most {limit:,} MB are tried"
    )


def _bytes(tensor: Tensor, most: Sizes) -> int:
    longest = max(most.values(), default=1)
    shape = (most.get(dim, longest) if isinstance(dim, str) else dim for dim in tensor.shape)
    return prod(shape) * (tensor.dtype.bytes or _STRING_BYTES)


def batch_sizes(model: Model) -> tuple[int, ...]:
    """Return 1, 2, 3 and the maximum of the batch axis, within its limits; nothing without a batch axis."""
    if not has_batch_axis(model):
        return ()
    limits = axis_range(model, model.batching.axis)
    return tuple(sorted({_clip(size, limits) for size in (1, 2, _ODD_BATCH, limits.max)}))


def typical_sizes(model: Model) -> Sizes:
    """Return one ordinary size for every axis: batch 2, others 17 or an odd size near their middle."""
    batch = model.batching.axis
    return {
        axis: _clip(2, axis_range(model, axis)) if axis == batch else _length(axis_range(model, axis))
        for axis in axes(model)
    }


def label(tried: Sizes) -> str:
    """Return the sizes as words: `batch=3 seq=17`."""
    return " ".join(f"{axis}={size}" for axis, size in tried.items())


def _length(limits: Axis) -> int:
    if limits.min < _ODD_LENGTH < limits.max:
        return _ODD_LENGTH
    middle = (limits.min + limits.max) // 2
    return _clip(middle | 1, limits)


def _with_batch(model: Model, chosen: Sizes, size: int) -> Sizes:
    batch = model.batching.axis
    return {**chosen, batch: _clip(size, axis_range(model, batch))} if batch in chosen else chosen


def _clip(size: int, limits: Axis) -> int:
    return min(max(size, limits.min), limits.max)


def _distinct(tried: list[Sizes]) -> tuple[Sizes, ...]:
    return tuple({tuple(chosen.items()): chosen for chosen in tried}.values())
