"""Which sizes of the dynamic axes are run."""

from collections.abc import Mapping
from typing import Final

from builder.spec.project import Axis, Model, axis_range
from builder.spec.tensors import unique

_ODD: Final = 3


def sizes(model: Model) -> tuple[Mapping[str, int], ...]:
    """Return the combinations of axis sizes that prove a model.

    The batch axis is run at 1, 2, an odd size and its maximum; every other axis at its minimum, maximum and
    an odd size between. Each size of each axis appears, not every combination: the longest sequence is run at
    batch 1, and the largest batch with the shortest sequence, so that memory grows with one axis at a time.
    """
    axes = unique(dim for tensor in model.inputs.values() for dim in tensor.shape if isinstance(dim, str))
    batch = model.batching.axis
    others = {axis: _other_sizes(axis_range(model, axis)) for axis in axes if axis != batch}
    batches = _batch_sizes(axis_range(model, batch)) if batch in axes else (0,)
    combinations: list[dict[str, int]] = []
    for n in range(max([len(batches), *map(len, others.values())], default=1)):
        combination = {batch: batches[min(n, len(batches) - 1)]} if batch in axes else {}
        combination |= {axis: found[-1 - min(n, len(found) - 1)] for axis, found in others.items()}
        combinations.append({axis: combination[axis] for axis in axes})
    return tuple({tuple(c.items()): c for c in combinations}.values())


def _batch_sizes(axis: Axis) -> tuple[int, ...]:
    odd = min(_ODD, axis.max)
    return tuple(sorted({n for n in (1, 2, odd, axis.max) if axis.min <= n <= axis.max}))


def _other_sizes(axis: Axis) -> tuple[int, ...]:
    middle = (axis.min + axis.max) // 2
    odd = min(middle | 1, axis.max)
    return tuple(sorted({axis.min, odd, axis.max}))
