"""The sizes of the dynamic axes of a pipeline: those that all steps take."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from builder.spec.pipeline import Wired
from builder.spec.project import Axis
from builder.spec.tensors import Dim
from builder.wiring.known import Known
from builder.wiring.mistake import Mistake


@dataclass(frozen=True, slots=True)
class _Read:
    """One axis of one tensor that one step reads."""

    path: tuple[str | int, ...]
    step: str
    axis: str
    """In words."""
    dim: Dim
    """The pipeline's."""
    limits: Axis
    """The step's."""


def sizes(wired: Wired, models: Mapping[str, Known]) -> Mapping[str, Axis]:
    """Return the sizes that all steps take of each axis that one of them limits; of the batch too."""
    found: dict[str, Axis] = {}
    for read in _reads(wired, models):
        if isinstance(read.dim, str):
            found[read.dim] = _both(found.get(read.dim, read.limits), read.limits)
    return found


def clashes(wired: Wired, models: Mapping[str, Known]) -> Iterator[Mistake]:
    """Yield each axis of which a step takes no size that the steps before it take."""
    found: dict[str, Axis] = {}
    for read in _reads(wired, models):
        others = Axis(min=read.dim, max=read.dim) if isinstance(read.dim, int) else found.get(read.dim)
        both = _both(others or read.limits, read.limits)
        if others is not None and both.min > both.max:
            message = (
                f"{read.step} takes {in_words(read.limits)} as {read.axis}, and others {in_words(others)}"
            )
            yield Mistake(read.path, f"{message}: no size suits them all")
        elif isinstance(read.dim, str):
            found[read.dim] = both


def in_words(axis: Axis) -> str:
    """Return sizes as a text."""
    return str(axis.min) if axis.min == axis.max else f"{axis.min} to {axis.max}"


def limits(known: Known, dim: Dim) -> Axis | None:
    """Return the sizes that a model takes of one of its dimensions; None: not known."""
    if isinstance(dim, int):
        return Axis(min=dim, max=dim)
    if dim == known.batch_axis and known.max_batch_size:
        return Axis(max=known.max_batch_size)
    return known.axes.get(dim)


def _reads(wired: Wired, models: Mapping[str, Known]) -> Iterator[_Read]:
    for place, step in enumerate(wired.steps):
        known = models[step.model]
        for own, name in step.inputs.items():
            pairs = zip(known.inputs[own].shape or (), wired.tensors[name].shape, strict=True)
            for position, (dim, axis) in enumerate(pairs):
                taken = limits(known, dim)
                if taken is not None:
                    path = ("steps", place, "map", own)
                    yield _Read(path, step.name, f"axis {position} of `{name}`", axis, taken)


def _both(one: Axis, other: Axis) -> Axis:
    return Axis(min=max(one.min, other.min), max=min(one.max, other.max))
