"""Cases in the sizes that a server takes."""

from collections.abc import Iterable, Iterator

import numpy as np

from builder.feeds import Case, batched_inputs
from builder.spec.project import Model
from builder.spec.tensors import Signature


def fit(cases: Iterable[Case], model: Model, signature: Signature, max_batch_size: int) -> tuple[Case, ...]:
    """Return `cases`, cut along the batch axis into pieces that the server takes in one request.

    Args:
        cases: inputs at any batch size.
        model: tells which inputs are batched.
        signature: the exported file's; a number where the model has its batch axis is a frozen batch.
        max_batch_size: the live server's; 0: it takes what the file takes.
    """
    axis = model.batching.axis
    batched = batched_inputs(model)
    frozen = {tensor.shape[0] for tensor in signature.inputs if tensor.name in batched} - {axis}
    limit = next((size for size in frozen if isinstance(size, int)), max_batch_size)
    if not batched or not limit:
        return tuple(cases)
    return tuple(piece for case in cases for piece in _pieces(case, axis, batched, limit, exact=bool(frozen)))


def _pieces(case: Case, axis: str, batched: frozenset[str], limit: int, *, exact: bool) -> Iterator[Case]:
    rows = case.sizes[axis]
    if rows == limit or (rows < limit and not exact):
        yield case
        return
    for start in range(0, rows, limit):
        stop = start + limit if exact else min(start + limit, rows)
        taken = np.arange(start, stop) % rows  # a frozen batch is filled up with rows from the start
        yield Case(
            name=f"{case.name} rows {start}-{min(stop, rows) - 1}",
            sizes={**case.sizes, axis: len(taken)},
            feed={name: array[taken] if name in batched else array for name, array in case.feed.items()},
        )
