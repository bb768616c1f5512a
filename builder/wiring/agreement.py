"""Whether the step that gives a tensor and the steps that read it mean the same dtype and shape by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from builder.spec.project import Pipeline
from builder.spec.tensors import Dim
from builder.wiring.known import Face
from builder.wiring.laid import Laid, givers
from builder.wiring.mistake import Mistake
from builder.wiring.sizes import in_words, limits

Steps = tuple[Laid, ...]
_ONE_OF_TWO: Final = "clients send it once, so let one of them read another tensor"
_CORRECT: Final = "correct the `dims` of one of them"


@dataclass(frozen=True, slots=True)
class _Side:
    """What one step says of a tensor."""

    step: Laid
    face: Face
    verb: str

    def is_batch(self, dim: Dim) -> bool:
        """Whether a dimension is the batch."""
        return dim == self.step.known.batch_axis and self.step.known.max_batch_size != 0

    def is_batch_alone(self) -> bool:
        """Whether the tensor is nothing but the batch, which Triton serves with an axis of 1 behind it."""
        shape = self.face.shape or ()
        return len(shape) == 1 and self.is_batch(shape[0])


def disagreements(pipeline: Pipeline, laid: Steps) -> Iterator[Mistake]:
    """Yield each tensor that a step reads as something else than it is given, or than another step reads it."""
    for step in laid:
        for own, name in step.reads.items():
            first = _first(pipeline, laid, step, own)
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
        if giver is not None and promise.shape and face.shape and not _keeps(face.shape, promise.shape):
            yield Mistake(
                ("outputs", name, "shape"), f"{giver.name} gives {_shape(face)}, not {_text(promise.shape)}"
            )


def _keeps(given: tuple[Dim, ...], promised: tuple[Dim, ...]) -> bool:
    """Whether a promised shape may be the given one; what an axis is called says nothing."""
    pairs = zip(given, promised, strict=False)
    return len(given) == len(promised) and all(isinstance(b, str) or a == b for a, b in pairs)


def _first(pipeline: Pipeline, laid: Steps, step: Laid, own: str) -> _Side | None:
    """Return who says first what a step reads as `own`: who gives it, or the first that reads what clients send."""
    name = step.reads[own]
    giver = next(givers(laid, name, step.place), None)
    if giver is not None:
        return _Side(giver, giver.face_given(name), "gives")
    if name not in pipeline.inputs:
        return None
    reader = next(one for one in laid if name in one.reads.values())
    theirs = next(one for one, tensor in reader.reads.items() if tensor == name)
    return None if (reader, theirs) == (step, own) else _Side(reader, reader.known.inputs[theirs], "takes")


def _between(name: str, first: _Side, then: _Side) -> Iterator[str]:
    """Yield why two steps cannot share the tensor `name`; one reason at most."""
    a, b = first.face, then.face
    if a.dtype and b.dtype and a.dtype is not b.dtype:
        said, taken = a.dtype.value, b.dtype.value
        why, cure = "", "put a step between them that converts it"
    elif first.verb == "takes" and a.range and b.range and not _overlap(a.range, b.range):
        said, taken = (f"{low:g} to {high:g}" for low, high in (a.range, b.range))
        why, cure = "", _ONE_OF_TWO
    elif a.shape is not None and b.shape is not None:
        said, taken = _shape(a), _shape(b)
        why, cure = _unlike(first, then)
    else:
        return
    if cure:
        cure = cure if first.verb == "gives" else _ONE_OF_TWO
        yield f"{first.step.name} {first.verb} `{name}` as {said}, and {then.step.name} takes {taken}: {why}{cure}"


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) <= min(one[1], other[1])


def _unlike(first: _Side, then: _Side) -> tuple[str, str]:
    """Return why two shapes cannot be one and how to mend it; nothing where they can."""
    a, b = first.face.shape or (), then.face.shape or ()
    if len(a) != len(b):
        return f"{len(a)} axes are not {len(b)}; ", "put a step between them that reshapes it"
    if first.is_batch_alone() is not then.is_batch_alone() and len(a) == 1:
        batches = first.step.name if first.is_batch_alone() else then.step.name
        return f"with Triton, {batches} has it as [batch, 1]; ", "put a step between them that reshapes it"
    for place, (one, other) in enumerate(zip(a, b, strict=True)):
        why, cure = _differ(first, one, then, other)
        if cure:
            return f"axis {place} is {why}; ", cure
    return "", ""


def _differ(first: _Side, a: Dim, then: _Side, b: Dim) -> tuple[str, str]:
    if first.is_batch(a) and then.is_batch(b):
        return "", ""
    if first.is_batch(a) and isinstance(b, int):
        return (
            f"the batch in the one, and always {b} in the other",
            f"give {then.step.name} a batch axis, too",
        )
    if first.verb == "takes":
        return _apart(first, a, then, b)
    if isinstance(a, str) and isinstance(b, int):
        return f"any `{a}` in the one, and always {b} in the other", f"let {then.step.name} take any size"
    have, takes = limits(first.step.known, a), limits(then.step.known, b)
    if (
        first.is_batch(a)
        or have is None
        or takes is None
        or (takes.min <= have.min and have.max <= takes.max)
    ):
        return "", ""
    cure = "put a step between them that reshapes it" if isinstance(b, int) else _CORRECT
    return f"{in_words(have)} in the one, and {in_words(takes)} in the other", cure


def _apart(first: _Side, a: Dim, then: _Side, b: Dim) -> tuple[str, str]:
    """Return why no size of a dimension that clients send suits both steps."""
    if isinstance(a, int) and then.is_batch(b):
        return f"always {a} in the one, and the batch in the other", _ONE_OF_TWO
    one, other = limits(first.step.known, a), limits(then.step.known, b)
    if one is None or other is None or max(one.min, other.min) <= min(one.max, other.max):
        return "", ""
    return f"{in_words(one)} in the one, and {in_words(other)} in the other", _ONE_OF_TWO


def _shape(face: Face) -> str:
    return _text(face.shape or ())


def _text(shape: tuple[Dim, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
