"""What `trb init` could find out about a module."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.spec.dtypes import DType
from builder.spec.project import Axis
from builder.spec.tensors import Dim


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A dtype and a shape that an input may have."""

    dtype: DType
    shape: tuple[Dim, ...]
    range: tuple[float, float] | None = None
    why: str
    """The evidence, for the comment in trb.yaml."""
    is_mask: bool = False
    """Whether not every combination of its values may be real."""
    is_guess: bool = False
    """Whether nothing but a trial tells."""
    must_end: bool = False
    """Whether it is true only if a value above the range is refused, as the rows of a table are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedInput:
    """One argument of `forward`."""

    dtype: DType | None = None
    """None: nothing tells."""
    shape: tuple[Dim, ...] | None = None
    range: tuple[float, float] | None = None
    why: str = ""
    """The evidence, in a few words."""
    not_all_run: bool = False
    """Whether `forward` refuses some of its values: it has to be fed from samples."""

    @property
    def is_known(self) -> bool:
        """Whether dtype and shape were found, and `forward` ran on them."""
        return self.dtype is not None and self.shape is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedModel:
    """A module's inputs, as far as they show."""

    source: str
    inputs: Mapping[str, GuessedInput]
    dims: Mapping[str, Axis] = field(default_factory=dict)
    """Smallest and largest size that ran, of every dynamic axis but the batch."""
    notes: tuple[str, ...] = ()
    """What the user should know or fill in, one sentence each."""

    @property
    def complete(self) -> bool:
        """Whether every input was found and runs at all its values, so that the spec can be built as it is."""
        found = self.inputs.values()
        return bool(found) and all(one.is_known and not one.not_all_run for one in found)
