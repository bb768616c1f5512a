"""Whether the clients of the old version can go on calling the new one."""

from collections.abc import Iterator

from builder.spec.record import VersionRecord
from builder.spec.tensors import Tensor


def breaks(old: VersionRecord, new: VersionRecord) -> tuple[str, ...]:
    """Return what would break the clients of `old`, one line each.

    Wider is fine: a fixed axis that becomes dynamic, a further output, a larger batch.
    """
    return (*_inputs(old, new), *_outputs(old, new), *_batch(old, new))


def _inputs(old: VersionRecord, new: VersionRecord) -> Iterator[str]:
    before, after = _by_name(old.signature.inputs), _by_name(new.signature.inputs)
    for name in sorted(before.keys() - after.keys()):
        yield f"input {before[name]} is gone"
    for name in sorted(after.keys() - before.keys()):
        yield f"input {after[name]} is new: clients do not send it"
    for name in sorted(before.keys() & after.keys()):
        if not _accepts(before[name], after[name]):
            yield f"input {before[name]} became {after[name]}"


def _outputs(old: VersionRecord, new: VersionRecord) -> Iterator[str]:
    before, after = _by_name(old.signature.outputs), _by_name(new.signature.outputs)
    for name in sorted(before.keys() - after.keys()):
        yield f"output {before[name]} is gone"
    for name in sorted(before.keys() & after.keys()):
        if not _promises(before[name], after[name]):
            yield f"output {before[name]} became {after[name]}"


def _batch(old: VersionRecord, new: VersionRecord) -> Iterator[str]:
    before, after = old.batch.max_batch_size, new.batch.max_batch_size
    if before and not after:
        yield f"it no longer batches (max_batch_size was {before}): {new.batch.reason}"
    elif after < before:
        yield f"max_batch_size went from {before} down to {after}"


def _accepts(before: Tensor, after: Tensor) -> bool:
    """Return whether all that was sent as `before` may be sent as `after`."""
    return _same_kind(before, after) and all(
        isinstance(now, str) or was == now for was, now in zip(before.shape, after.shape, strict=True)
    )


def _promises(before: Tensor, after: Tensor) -> bool:
    """Return whether no fixed axis of an output has another size."""
    return _same_kind(before, after) and all(
        was == now or isinstance(was, str) or isinstance(now, str)
        for was, now in zip(before.shape, after.shape, strict=True)
    )


def _same_kind(before: Tensor, after: Tensor) -> bool:
    return before.dtype is after.dtype and len(before.shape) == len(after.shape)


def _by_name(tensors: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {tensor.name: tensor for tensor in tensors}
