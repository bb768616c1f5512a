"""The inputs that a source file declares, against those of trb.yaml."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, Literal

from builder.errors import SourceError
from builder.spec.dtypes import DType
from builder.spec.project import Axis
from builder.spec.tensors import Tensor

_WHERE: Final = "correct `inputs` in trb.yaml"


def in_order(inputs: tuple[Tensor, ...], named: Sequence[str], file: str) -> tuple[Tensor, ...]:
    """Return the inputs in the order of the file, whose inputs are all named in trb.yaml.

    Raises:
        SourceError: one is missing, or too many.
    """
    given = {tensor.name: tensor for tensor in inputs}
    for name in named:
        if name not in given:
            raise SourceError(
                f"inputs: {file} takes `{name}`, which trb.yaml does not name", fix=_near(name, given)
            )
    for name in given:
        if name not in named:
            raise SourceError(
                f"inputs: {file} has no input `{name}`; it takes {', '.join(named)}", fix=_WHERE
            )
    return tuple(given[name] for name in named)


def in_order_or_place(
    inputs: tuple[Tensor, ...], named: Sequence[str], file: str
) -> tuple[Literal["name", "position"], tuple[Tensor, ...]]:
    """Return the inputs by name where trb.yaml uses the file's names, by place where it uses none of them.

    Raises:
        SourceError: it uses some, or their numbers differ.
    """
    if {tensor.name for tensor in inputs} & set(named):
        return "name", in_order(inputs, named, file)
    if len(inputs) != len(named):
        given = ", ".join(tensor.name for tensor in inputs)
        raise SourceError(
            f"inputs: {file} takes {len(named)} inputs ({', '.join(named)}), trb.yaml has {len(inputs)} ({given})",
            fix=_WHERE,
        )
    return "position", inputs


def require_declared(tensor: Tensor, dtype: DType, shape: Sequence[int | str | None], file: str) -> None:
    """Check an input of trb.yaml against the file's; an axis that is no number is dynamic there.

    Raises:
        SourceError: dtype, number of axes, or a fixed size differ.
    """
    if dtype is not tensor.dtype:
        raise SourceError(
            f"inputs: {file} declares `{tensor.name}` as {dtype.value}, trb.yaml as {tensor.dtype.value}",
            fix=_WHERE,
        )
    if len(shape) != len(tensor.shape):
        raise SourceError(
            f"inputs: {file} declares `{tensor.name}` with {len(shape)} axes, trb.yaml with {len(tensor.shape)}",
            fix=_WHERE,
        )
    for place, (have, want) in enumerate(zip(shape, tensor.shape, strict=True)):
        if isinstance(have, int) and have != want:
            says = f"trb.yaml calls it `{want}`" if isinstance(want, str) else f"trb.yaml says {want}"
            raise SourceError(
                f"inputs: axis {place} of `{tensor.name}` is fixed at {have} in {file}; {says}",
                fix=f"write {have} there in trb.yaml, or export the file again with that axis dynamic",
            )


def require_range(
    name: str, place: int, axis: str, *, takes: tuple[int, int | None], asked: Axis, file: str
) -> None:
    """Check that a file whose axis `takes` these sizes (None: no largest) runs at all that trb.yaml says.

    Raises:
        SourceError: it does not.
    """
    smallest, largest = takes
    if smallest <= asked.min and (largest is None or asked.max <= largest):
        return
    again = f"export the file again with Dim({axis!r}, min={asked.min}, max={asked.max})"
    narrower = f"write `dims: {{{axis}: {{max: {largest}}}}}` in trb.yaml, or "
    raise SourceError(
        f"dims: axis {place} (`{axis}`) of `{name}` takes {smallest} {f'to {largest}' if largest else 'or more'} "
        f"in {file}; trb.yaml says {asked.min} to {asked.max}",
        fix=again if smallest > asked.min else narrower + again,
    )


def _near(name: str, given: Mapping[str, Tensor]) -> str:
    near = get_close_matches(name, given, n=1)
    return f"rename `{near[0]}` to `{name}` in trb.yaml" if near else f"add `{name}` to `inputs`"
