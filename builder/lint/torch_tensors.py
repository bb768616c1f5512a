"""The types and shapes of tensors in torch: how they are told, and what those of several come to."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, NoReturn

from builder.lint.torch_pickle import Blank
from builder.rules.pytorch_results import Tensor

UNKNOWN: Final = Blank.BLANK

Dim = int | None
Shape = tuple[Dim, ...] | None

FLOATS: Final = ("TYPE_BF16", "TYPE_FP16", "TYPE_FP32", "TYPE_FP64")
"""Each is wider than those before it, but for the first two, which meet in FP32."""
INTEGERS: Final = ("TYPE_BOOL", "TYPE_UINT8", "TYPE_INT8", "TYPE_INT16", "TYPE_INT32", "TYPE_INT64")
"""Each is wider than those before it, but for UINT8 and INT8, which meet in INT16."""
DEFAULT: Final = "TYPE_FP32"
NUMBERS: Final = {
    0: "TYPE_UINT8",
    1: "TYPE_INT8",
    2: "TYPE_INT16",
    3: "TYPE_INT32",
    4: "TYPE_INT64",
    5: "TYPE_FP16",
    6: "TYPE_FP32",
    7: "TYPE_FP64",
    11: "TYPE_BOOL",
    15: "TYPE_BF16",
}
"""The types by the numbers that TorchScript writes for them."""


class Number(NamedTuple):
    """A number that is not told; torch takes a constant without axes for one."""

    type: str
    """The data type that it is saved in."""


class Fails(Exception):
    """Every call with such tensors fails; the message is torch's, or like it."""


def fail(message: str) -> NoReturn:
    """Say that every call with such tensors fails."""
    raise Fails(message)


def tensor(value: Any) -> Tensor:
    """Return `value`, which has to be a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError
    return value


def ranked(value: Any) -> tuple[Dim, ...]:
    """Return the shape of `value`, which has to be a tensor of known rank."""
    shape = tensor(value).shape
    if shape is None:
        raise TypeError
    return shape


def dim_of(value: Any) -> Dim:
    """Return a size in a list of sizes; None where it is not known."""
    return value if type(value) is int else None


def axis_of(axis: Any, rank: int) -> int:
    """Return which axis is meant, counted from the first."""
    if type(axis) is not int:
        raise TypeError
    if not -max(rank, 1) <= axis < max(rank, 1):
        fail(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {axis})")
    return axis % max(rank, 1)


def axes_of(given: Any, rank: int) -> list[int]:
    """Return which axes are meant by one, a list of them, or none for all."""
    if given is None or given == []:
        return list(range(rank))
    return [axis_of(one, rank) for one in (given if isinstance(given, list) else [given])]


def _type_of(number: Any) -> str:
    """Return the type that a number in Python's sense gives to a tensor."""
    saved = number.type if isinstance(number, Number) else ""
    if isinstance(number, bool) or saved == "TYPE_BOOL":
        return "TYPE_BOOL"
    if isinstance(number, int) or saved in INTEGERS:
        return "TYPE_INT64"
    if isinstance(number, float) or saved in FLOATS:
        return DEFAULT
    raise TypeError


def _joined(one: str, other: str) -> str:
    """Return the type that holds the values of both; empty stands for no value."""
    if not one or not other or one == other:
        return one or other
    pair = {one, other}
    if pair == {"TYPE_BF16", "TYPE_FP16"}:
        return "TYPE_FP32"
    if pair == {"TYPE_UINT8", "TYPE_INT8"}:
        return "TYPE_INT16"
    order = (*INTEGERS, *FLOATS)
    return max(one, other, key=order.index)


def _over(higher: str, lower: str) -> str:
    """Return the type of a result, given that of operands which count more and of those which count less."""
    if higher in FLOATS:
        return higher
    if higher == "TYPE_BOOL" or lower in FLOATS:
        return _joined(higher, lower)
    return higher or lower


def promoted(*values: Any) -> str:
    """Return the type in which torch computes with `values`: axes count more than none, tensors more than numbers."""
    found = [value for value in values if isinstance(value, Tensor)]
    types = {tensor.type for tensor in found}
    if "" in types or (len(types) > 1 and any(tensor.shape is None for tensor in found)):
        return ""
    with_axes = without = numbers = ""
    for value in values:
        if not isinstance(value, Tensor):
            numbers = _joined(numbers, _type_of(value))
        elif value.shape == ():
            without = _joined(without, value.type)
        else:
            with_axes = _joined(with_axes, value.type)
    return _over(with_axes, _over(without, numbers))


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape of what is computed element by element."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(_met(sizes, position) for position, sizes in enumerate(zip(*padded, strict=True)))


def _met(sizes: Sequence[Dim], position: int) -> Dim:
    wide = [size for size in sizes if size is not None and size != 1]
    if len(set(wide)) > 1:
        fail(
            f"The size of tensor a ({wide[0]}) must match the size of tensor b "
            f"({next(size for size in wide if size != wide[0])}) at non-singleton dimension {position}"
        )
    return wide[0] if wide else (None if None in sizes else 1)


def shape_of(*values: Any) -> Shape:
    """Return the shape of what is computed element by element from tensors and numbers."""
    return broadcast(*(value.shape for value in values if isinstance(value, Tensor)))


def need_values(*values: Any) -> None:
    """See that each of `values` is a tensor or a number."""
    if any(not isinstance(value, Tensor | Number | int | float) for value in values):
        raise TypeError
