"""What is wrong with the inputs of a model, and with the names and shapes of all its tensors."""

import re
from collections.abc import Iterator
from typing import Final

from builder.readspec.finding import Finding
from builder.readspec.shapes import close_match
from builder.readspec.yaml_tree import Path
from builder.rules.pytorch import index_of
from builder.spec.dtypes import DType
from builder.spec.project import Backend, Input, Model, axes

TENSOR_RULE: Final = "a tensor's name must not have blanks"
"""What `is_tensor_name` asks, for messages."""
_AXIS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def is_tensor_name(name: str) -> bool:
    """Return whether a tensor may be called so: something, without blanks and control characters."""
    return bool(name) and all(ord(c) > 32 for c in name)  # noqa: PLR2004 - 32 is the blank


def inputs(model: Model) -> Iterator[Finding]:
    """Yield the mistakes of the inputs, each by itself."""
    if not model.inputs:
        yield Finding(("inputs",), "names no input; a Triton model has at least one")
    for name, tensor in model.inputs.items():
        here: Path = ("inputs", name)
        yield from _name(model, here, name)
        yield from _shape((*here, "shape"), tensor.shape)
        yield from _range(model, here, tensor)
        if tensor.values == "samples" and model.samples is None:
            message = "the model has no `samples` to take them from"
            yield Finding((*here, "values"), message, (("samples",),))


def outputs(model: Model) -> Iterator[Finding]:
    """Yield the mistakes of the names and promises of the outputs."""
    if len(set(model.output_names)) != len(model.output_names):
        yield Finding(("output_names",), "names an output twice")
    for n, name in enumerate(model.output_names):
        yield from _name(model, ("output_names", n), name)
    for name, output in model.outputs.items():
        yield from _name(model, ("outputs", name), name) if name not in model.output_names else ()
        yield from _promised_shape(model, name, output.shape) if output.shape is not None else ()
        if model.output_names and name not in model.output_names:
            message = "is not in output_names" + close_match(name, model.output_names)
            yield Finding(("outputs", name), message, (("output_names",),))


def input_shapes(model: Model) -> tuple[Path, ...]:
    """Return the places of all shapes of inputs."""
    return tuple(("inputs", name, "shape") for name in model.inputs)


def _name(model: Model, here: Path, name: str) -> Iterator[Finding]:
    if not is_tensor_name(name):
        yield Finding(here, TENSOR_RULE)
    if Backend.TORCHSCRIPT in model.backend and index_of(name) is not None:
        message = "the pytorch backend reads `__<number>` at the end of a name as a position; rename it"
        yield Finding(here, message, (("backend",),))


def _promised_shape(model: Model, name: str, shape: tuple[int | str, ...]) -> Iterator[Finding]:
    here: Path = ("outputs", name, "shape")
    yield from _shape(here, shape)
    known = axes(model)
    may_be_own = Backend.PYTHON in model.backend  # nothing else tells how long the answer of a function is
    for n, dim in enumerate(shape):
        if not may_be_own and isinstance(dim, str) and dim not in known:
            message = f"no input has an axis `{dim}`" + close_match(dim, known)
            yield Finding((*here, n), message, input_shapes(model))


def _shape(here: Path, shape: tuple[int | str, ...]) -> Iterator[Finding]:
    if not shape:
        yield Finding(here, "is empty; Triton carries no scalars, give at least one axis")
    for n, dim in enumerate(shape):
        if isinstance(dim, str) and not _AXIS.match(dim):
            yield Finding((*here, n), f"{dim!r} is no axis name; use letters, digits and `_`")
        if isinstance(dim, int) and dim < 1:
            message = f"{dim} is no size; give a number from 1, or a name such as `seq` for a dynamic axis"
            yield Finding((*here, n), message)


def _range(model: Model, here: Path, tensor: Input) -> Iterator[Finding]:
    if tensor.range is None:
        if tensor.dtype.is_integer and model.samples is None:
            message = "integers need `range: [smallest, largest]`, or the model `samples`"
            yield Finding(here, message, ((*here, "dtype"), (*here, "range"), ("samples",)))
        return
    low, high = tensor.range
    where, needs = (*here, "range"), ((*here, "dtype"),)
    if not low <= high:
        yield Finding(where, f"the smallest value {low:g} is above the largest {high:g}")
    if tensor.dtype in (DType.BOOL, DType.STRING):
        yield Finding(where, f"{tensor.dtype.value} has no range", needs)
    elif message := _unfit(tensor.dtype, low, high):
        yield Finding(where, f"[{low:g}, {high:g}] {message}", needs)


def _unfit(dtype: DType, low: float, high: float) -> str:
    """Return why no tensor of `dtype` holds values from `low` to `high`; empty when it does."""
    least, most = dtype.limits
    if low < float(least) or high > float(most):  # as floats: the largest int64 is none
        ends = f"{least} to {most}" if dtype.is_integer else f"{least:g} to {most:g}"
        return f"does not fit {dtype.value}: {ends}"
    if dtype.is_integer and not (low.is_integer() and high.is_integer()):
        return f"are no whole numbers, and the dtype is {dtype.value}"
    return ""
