"""Whether the step that gives a tensor and the steps that read it mean the same dtype and shape by it."""

from collections.abc import Iterator
from dataclasses import dataclass

from builder.spec.project import Axis, Pipeline
from builder.spec.tensors import Dim
from builder.wiring.known import Face
from builder.wiring.laid import Laid, givers
from builder.wiring.mistake import Mistake

Steps = tuple[Laid, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """What one step says of a tensor."""

    step: Laid
    face: Face
    verb: str

    def size(self, dim: Dim) -> str:
        """Return a dimension in words."""
        return f"`{dim}`" if isinstance(dim, str) else str(dim)

    def limits(self, dim: Dim) -> Axis | None:
        """Return the sizes that a dimension has; None: not known."""
        return Axis(min=dim, max=dim) if isinstance(dim, int) else self.step.known.axes.get(dim)

    def is_batch(self, dim: Dim) -> bool:
        """Whether a dimension is the batch."""
        return dim == self.step.known.batch_axis and self.step.known.max_batch_size != 0


def disagreements(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield each tensor that a step reads as something else than it is given, or than another step reads it."""
    for step in laid:
        for own, name in step.reads.items():
            first = _first(pipeline, laid, step, name)
            if first is not None:
                side = _Side(step, step.known.inputs[own], "takes")
                path = ("steps", step.place, "map", own)
                yield from (Mistake(path, message) for message in _between(name, first, side))


def broken_promises(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield each output that is promised as something else than its step gives."""
    for name, promise in pipeline.outputs.items():
        giver = next(givers(laid, name, len(pipeline.steps)), None)
        face = giver.face_given(name) if giver is not None else Face()
        if giver is not None and promise.dtype and face.dtype and promise.dtype is not face.dtype:
            message = f"{giver.name} gives {face.dtype.value}, not {promise.dtype.value}"
            yield Mistake(("outputs", name, "dtype"), message)
        if giver is not None and promise.shape and face.shape and len(promise.shape) != len(face.shape):
            yield Mistake(
                ("outputs", name, "shape"), f"{giver.name} gives {_shape(face)}, not {_text(promise.shape)}"
            )


def _first(pipeline: Pipeline, laid: Steps, step: Laid, name: str) -> _Side | None:
    """Return who says first what `name` is: the step that gives it, or the first that reads what clients send."""
    giver = next(givers(laid, name, step.place), None)
    if giver is not None:
        return _Side(giver, giver.face_given(name), "gives")
    if name not in pipeline.inputs:
        return None
    reader = next(one for one in laid if name in one.reads.values())
    return None if reader is step else _Side(reader, reader.face_read(name), "takes")


def _between(name: str, first: _Side, then: _Side) -> Iterator[str]:
    """Yield why two steps cannot share the tensor `name`; one reason at most."""
    a, b = first.face, then.face
    says = f"{first.step.name} {first.verb} `{name}` as"
    if a.dtype and b.dtype and a.dtype is not b.dtype:
        cure = "put a step between them that converts it"
        yield f"{says} {a.dtype.value}, and {then.step.name} takes {b.dtype.value}: {cure}"
    elif a.shape is not None and b.shape is not None:
        if len(a.shape) != len(b.shape):
            counts = f"{len(a.shape)} axes are not {len(b.shape)}"
            yield f"{says} {_shape(a)}, and {then.step.name} takes {_shape(b)}: {counts}"
        else:
            yield from _dims(says, first, then)


def _dims(says: str, first: _Side, then: _Side) -> Iterator[str]:
    assert first.face.shape is not None
    assert then.face.shape is not None
    for place, (a, b) in enumerate(zip(first.face.shape, then.face.shape, strict=True)):
        why = _differ(first, a, then, b)
        if why:
            yield f"{says} {_shape(first.face)}, and {then.step.name} takes {_shape(then.face)}: axis {place} {why}"
            return


def _differ(first: _Side, a: Dim, then: _Side, b: Dim) -> str:
    if first.is_batch(a) and then.is_batch(b):
        return ""
    if isinstance(a, str) and isinstance(b, int):
        what = "the batch" if first.is_batch(a) else f"any `{a}`"
        return f"is {what} in the one, and always {b} in the other"
    have, takes = first.limits(a), then.limits(b)
    if have is None or takes is None or (takes.min <= have.min and have.max <= takes.max):
        return ""
    return f"is {_range(have)} in the one, and {_range(takes)} in the other"


def _range(axis: Axis) -> str:
    return str(axis.min) if axis.min == axis.max else f"{axis.min} to {axis.max}"


def _shape(face: Face) -> str:
    return _text(face.shape or ())


def _text(shape: tuple[Dim, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
