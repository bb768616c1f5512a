"""Where the batch axis stands in a file's tensors."""

from builder.spec.project import Model, axis_range
from builder.spec.tensors import Signature, Tensor


def obstacle(model: Model, signature: Signature) -> str:
    """Return what in the shapes alone keeps Triton from batching, in one sentence; empty: nothing.

    Triton batches along the first axis of every tensor, and may send a batch of one row.
    """
    axis = model.batching.axis
    if axis not in signature.axes():
        return f"no input has an axis called {axis}"
    misplaced = [t for t in (*signature.inputs, *signature.outputs) if axis in t.shape and t.shape[0] != axis]
    if misplaced:
        return _misplaced(axis, signature, misplaced)
    if without := [t for t in signature.inputs if t.shape[:1] != (axis,)]:
        return f"input {without[0]} has no {axis} axis, and Triton batches every input"
    if without := [t for t in signature.outputs if t.shape[:1] != (axis,)]:
        return f"output {without[0]} does not have {axis} as its first axis, so Triton could not split it"
    if (least := axis_range(model, axis).min) > 1:
        return f"{axis} is at least {least} in the spec, but Triton may send one row"
    return ""


def _misplaced(axis: str, signature: Signature, misplaced: list[Tensor]) -> str:
    inputs = {t.name: t.shape.index(axis) for t in misplaced if t in signature.inputs}
    outputs = {n: t.shape.index(axis) for n, t in enumerate(signature.outputs) if t in misplaced}
    words = ", ".join(f"{tensor} (axis {tensor.shape.index(axis)})" for tensor in misplaced)
    return (
        f"{axis} must be the first axis of every tensor, but is not in {words}: "
        f"return builder.wrappers.BatchFirst(module, inputs={inputs}, outputs={outputs}) from the source, "
        f"and move {axis} to the front of these shapes"
    )
