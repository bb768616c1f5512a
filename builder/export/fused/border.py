"""The tensors that cross the border of a group, and their axes under names that mean one size each."""

from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence

from builder.spec.pipeline import Wired, WiredStep
from builder.spec.tensors import Dim, Signature, Tensor, unique

_Axis = tuple[str, str]
"""An axis by the name of its step and its own: two models may call different axes alike."""


def border(group: Sequence[WiredStep], wired: Wired) -> Signature:
    """Return what `group` reads from outside, and what of its tensors is read outside or given to clients.

    All have the pipeline's names. An axis with the same name has the same size in all of them, which needs new names
    where models that are not connected have axes of one name. An axis that one step fixes is fixed.
    """
    given = unique(tensor for step in group for tensor in step.outputs.values())
    read = unique(tensor for step in group for tensor in step.inputs.values())
    own = {step.name for step in group}
    inputs = tuple(name for name in read if name not in given)
    outputs = tuple(
        name
        for name in given
        if name in wired.outputs or any(step.name not in own for step in wired.readers(name))
    )
    shapes = _shapes((*inputs, *outputs), group, wired)

    def tensor(name: str) -> Tensor:
        return Tensor(name=name, dtype=wired.tensors[name].dtype, shape=shapes[name])

    return Signature(inputs=tuple(map(tensor, inputs)), outputs=tuple(map(tensor, outputs)))


def seen_as(step: WiredStep, tensor: str) -> Iterator[Tensor]:
    """Yield the inputs and outputs of the model of `step` that are `tensor` in the pipeline."""
    yield from (one for one in step.signature.inputs if step.inputs.get(one.name) == tensor)
    yield from (one for one in step.signature.outputs if step.outputs.get(one.name) == tensor)


def _shapes(names: Sequence[str], group: Sequence[WiredStep], wired: Wired) -> Mapping[str, tuple[Dim, ...]]:
    sizes = _one_size(group, wired)
    called: dict[Dim | _Axis, Dim] = {}
    shapes = {}
    for name in names:
        step, tensor = next((step, one) for step in group for one in seen_as(step, name))
        roots = [_root(sizes, _axis(step, dim)) for dim in tensor.shape]
        for root, known in zip(roots, wired.tensors[name].shape, strict=True):
            if root not in called:
                called[root] = _free_name(known, called.values()) if isinstance(root, tuple) else root
        shapes[name] = tuple(called[root] for root in roots)
    return shapes


def _one_size(group: Sequence[WiredStep], wired: Wired) -> Mapping[Dim | _Axis, Dim | _Axis]:
    """Return for each axis another one, or a number, that has the same size for sure."""
    sizes: dict[Dim | _Axis, Dim | _Axis] = {}
    for name in unique(t for step in group for t in (*step.inputs.values(), *step.outputs.values())):
        seen = [tuple(_axis(step, dim) for dim in one.shape) for step in group for one in seen_as(step, name)]
        fixed = tuple(
            dim if isinstance(dim, int) else axis
            for dim, axis in zip(wired.tensors[name].shape, seen[0], strict=True)
        )
        for shape in (fixed, *seen[1:]):
            for here, there in zip(seen[0], shape, strict=True):
                _join(sizes, here, there)
    batches = [
        _axis(step, one.shape[0])
        for step in group
        if step.max_batch_size > 0
        for one in (*step.signature.inputs, *step.signature.outputs)
    ]
    for axis in batches[1:]:
        _join(sizes, batches[0], axis)
    return sizes


def _axis(step: WiredStep, dim: Dim) -> Dim | _Axis:
    return dim if isinstance(dim, int) else (step.name, dim)


def _root(sizes: Mapping[Dim | _Axis, Dim | _Axis], axis: Dim | _Axis) -> Dim | _Axis:
    while axis in sizes:
        axis = sizes[axis]
    return axis


def _join(sizes: MutableMapping[Dim | _Axis, Dim | _Axis], here: Dim | _Axis, there: Dim | _Axis) -> None:
    here, there = _root(sizes, here), _root(sizes, there)
    if isinstance(here, int):
        here, there = there, here
    if here != there and not isinstance(here, int):
        sizes[here] = there


def _free_name(wanted: Dim, taken: Collection[Dim]) -> str:
    name, count = str(wanted), 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name
