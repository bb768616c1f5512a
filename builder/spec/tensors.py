"""What goes in and comes out of a model."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from builder.spec.dtypes import DType

T = TypeVar("T", bound=Hashable)
Dim = int | str
"""A number is fixed; a name is a dynamic axis, and the same name is the same size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output, its batch axis included."""

    name: str
    dtype: DType
    shape: tuple[Dim, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """The dynamic axes of the shape, in order."""
        return tuple(d for d in self.shape if isinstance(d, str))

    def sized(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return the shape with every dynamic axis replaced by its size."""
        return tuple(sizes[d] if isinstance(d, str) else d for d in self.shape)

    def __str__(self) -> str:
        return f"{self.name} {self.kind}"

    @property
    def kind(self) -> str:
        """Such as `fp32[batch, 10]`."""
        return f"{self.dtype.value}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs and outputs of a model, in the order of its call and of its flattened result."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def axes(self) -> tuple[str, ...]:
        """The dynamic axes of all inputs, each once, in order of appearance."""
        return unique(axis for tensor in self.inputs for axis in tensor.axes)


def unique(names: Iterable[T]) -> tuple[T, ...]:
    """Return `names` without repeats, order kept."""
    return tuple(dict.fromkeys(names))
