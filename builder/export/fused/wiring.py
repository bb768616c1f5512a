"""The pipeline that is left once groups of steps are one model each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from builder.export.fused.border import border
from builder.export.fused.grouping import Group
from builder.spec.pipeline import Wired, WiredStep


def fused_wiring(wired: Wired, groups: Sequence[Group], names: Sequence[str]) -> Wired:
    """Return `wired` with one step in place of each of `groups`.

    Args:
        wired: the pipeline.
        groups: as `groups(wired)` returns them.
        names: the name in the repository of each merged model, whose tensors are called as the pipeline's.
    """
    merged = [_one_step(group, wired, name) for group, name in zip(groups, names, strict=True)]
    instead = {step.name: one for group, one in zip(groups, merged, strict=True) for step in group}
    left: list[WiredStep] = []
    for step in wired.steps:
        one = instead.get(step.name, step)
        if all(one is not other for other in left):
            left.append(one)
    steps = tuple(_in_order(left, wired))
    seen = {*wired.inputs, *(tensor for step in steps for tensor in step.outputs.values())}
    tensors = {name: tensor for name, tensor in wired.tensors.items() if name in seen}
    return replace(wired, steps=steps, tensors=tensors)


def _one_step(group: Group, wired: Wired, name: str) -> WiredStep:
    signature = border(group, wired)
    return WiredStep(
        name=name,
        model=name,
        backend=group[0].backend,
        signature=signature,
        max_batch_size=min(step.max_batch_size for step in group),
        inputs={tensor.name: tensor.name for tensor in signature.inputs},
        outputs={tensor.name: tensor.name for tensor in signature.outputs},
    )


def _in_order(steps: Sequence[WiredStep], wired: Wired) -> Iterator[WiredStep]:
    """Yield `steps` so that each comes after those whose tensors it reads."""
    there, left = set(wired.inputs), list(steps)
    while left:
        step = next(step for step in left if there.issuperset(step.inputs.values()))
        left.remove(step)
        there.update(step.outputs.values())
        yield step
