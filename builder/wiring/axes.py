"""One name for each dynamic axis of a pipeline, whatever its steps call it."""

from dataclasses import dataclass, field
from typing import Final

from builder.spec.tensors import Dim
from builder.wiring.known import Face
from builder.wiring.laid import Laid

BATCH: Final = "batch"


@dataclass(slots=True)
class Axes:
    """The names given so far."""

    by_step: dict[tuple[str, str], Dim] = field(default_factory=dict)
    """The pipeline's dimension by step and the step's own axis."""
    taken: set[str] = field(default_factory=set)
    """Axes that have a name."""
    made: set[str] = field(default_factory=set)
    """Those of them that a step has given: one of the same name elsewhere is another axis."""
    same: dict[Dim, Dim] = field(default_factory=dict)
    """What an axis has turned out to be: a step reads it as one with another, or at one size alone."""

    def join(self, step: Laid, face: Face, shape: tuple[Dim, ...]) -> None:
        """Note that what `step` reads has the dimensions `shape`."""
        for own, dim in zip(face.shape or (), shape, strict=True):
            known = self.by_step.setdefault((step.name, own), dim) if isinstance(own, str) else own
            self._unite(self.final(known), self.final(dim))

    def sent(self, step: Laid, face: Face) -> tuple[Dim, ...]:
        """Return the shape of a tensor that clients send and `step` is the first to read.

        Of such tensors, axes of one name are one axis, as in a model: a later step may need them alike.
        """
        return tuple(self._dim(step, dim, known=frozenset(self.made)) for dim in face.shape or ())

    def given(self, step: Laid, face: Face) -> tuple[Dim, ...]:
        """Return the shape of a tensor that `step` gives; an axis that it did not read is a new one."""
        before = frozenset(self.taken)
        shape = tuple(self._dim(step, dim, known=before) for dim in face.shape or ())
        self.made |= {dim for dim in shape if isinstance(dim, str) and dim not in {*before, BATCH}}
        return shape

    def final(self, dim: Dim) -> Dim:
        """Return what a dimension is in the end, once every step has been looked at."""
        while dim in self.same:
            dim = self.same[dim]
        return dim

    def _unite(self, one: Dim, other: Dim) -> None:
        """Note that two dimensions are one: a size stands for any name, and the batch for any other name."""
        gone, kept = (other, one) if isinstance(one, int) or one == BATCH else (one, other)
        if isinstance(gone, str) and gone != kept:
            self.same[gone] = kept

    def _dim(self, step: Laid, own: Dim, *, known: frozenset[str]) -> Dim:
        if isinstance(own, int) or (step.name, own) in self.by_step:
            return self.by_step.get((step.name, str(own)), own)
        new: str = BATCH
        if own != step.known.batch_axis:
            new = own if own not in {*known, BATCH} else f"{step.name.replace('#', '_')}_{own}"
            while new in known:
                new = f"{new}_"
        self.by_step[step.name, own] = new
        self.taken.add(new)
        return new
