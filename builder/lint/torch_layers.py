"""What the layers of a network make of the types and shapes of tensors."""

from collections.abc import Callable, Sequence
from typing import Any

from builder.lint.torch_tensors import UNKNOWN, Dim, broadcast, dim_of, fail, ranked
from builder.rules.pytorch_results import Tensor


def _same_types(x: Any, weight: Any, what: str) -> None:
    if x.type and weight.type and x.type != weight.type:
        fail(f"{what} must have the same dtype, but got {x.type} and {weight.type}")


def _size(shape: Sequence[Dim]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def linear(x: Any, weight: Any, _: Any = None) -> Any:
    """Return what a fully connected layer makes of `x`."""
    _same_types(x, weight, "mat1 and mat2")
    (_, wanted), given = ranked(weight), ranked(x)
    if given and None not in (given[-1], wanted) and given[-1] != wanted:
        rows = _size(given[:-1]) or "1"
        fail(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{given[-1]} and {wanted}x{_size(weight.shape[:1])})"
        )
    return Tensor(weight.type and x.type, (*given[:-1], weight.shape[0]) if given else None)


def matmul(a: Any, b: Any) -> Any:
    """Return the product of two tensors."""
    _same_types(a, b, "the tensors of a product")
    left, right = ranked(a), ranked(b)
    if not left or not right:
        fail("both arguments to matmul need to be at least 1D")
    inner, outer = left[-1], right[-2] if len(right) > 1 else right[0]
    if None not in (inner, outer) and inner != outer:
        fail(f"mat1 and mat2 shapes cannot be multiplied ({_size(left)} and {_size(right)})")
    batch = broadcast(left[:-2], right[:-2]) or ()
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return Tensor(a.type and b.type, (*batch, *rows, *columns))


def _each(values: Any, count: int) -> list[Any]:
    listed = values if isinstance(values, list) else [values]
    return listed * count if len(listed) == 1 else listed


def _window(size: Dim, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Dim:
    """Return in how many places a kernel fits along an axis."""
    if None in (size, dim_of(kernel), dim_of(stride), dim_of(padding), dim_of(dilation)):
        return None
    places = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if places <= 0:
        fail(
            f"a kernel of {kernel} is larger than the {size} values along its axis, {padding} on each side added"
        )
    return int(places)


def _windows(given: Sequence[Dim], *settings: Any) -> list[Dim]:
    every = (_each(setting, len(given)) for setting in settings)
    return [_window(*one) for one in zip(given, *every, strict=True)]


def _convolved(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    _same_types(x, weight, "input and weight")
    shape, kernel = ranked(x), ranked(weight)
    axes = len(kernel) - 2
    if len(shape) not in (axes + 1, axes + 2):
        fail(
            f"expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input, but got input of size {list(shape)}"
        )
    channels = shape[-axes - 1]
    if None not in (channels, kernel[1]) and channels != kernel[1] * groups:
        fail(
            f"expected input{list(shape)} to have {kernel[1] * groups} channels, but got {channels} channels instead"
        )
    places: Sequence[Dim] = [None] * axes
    if not isinstance(padding, str):
        places = _windows(shape[-axes:], list(kernel[2:]), stride, padding, dilation)
    return Tensor(x.type and weight.type, (*shape[: -axes - 1], kernel[0], *places))


def conv(
    x: Any,
    weight: Any,
    bias: Any = None,  # noqa: ARG001 - it changes nothing here
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Any:
    """Return what a convolution makes of `x`, with or without a batch."""
    return _convolved(x, weight, stride, padding, dilation, groups)


def convolution(x: Any, weight: Any, *settings: Any) -> Any:
    """Return what a convolution makes of `x`, as a trace writes it: always with a batch."""
    _, stride, padding, dilation, transposed, _, groups, *_ = settings
    if transposed:
        return UNKNOWN
    shape, kernel = ranked(x), ranked(weight)
    if len(shape) != len(kernel):
        fail(
            f"Expected {len(kernel)}-dimensional input for {len(kernel)}-dimensional weight {list(kernel)}, but got "
            f"{len(shape)}-dimensional input of size {list(shape)} instead"
        )
    return _convolved(x, weight, stride, padding, dilation, groups)


def pool(axes: int, *, dilates: bool) -> Callable[..., Any]:
    """Return the operator that pools over this many axes; the maximum alone may have a dilation."""

    def made(x: Any, kernel: Any, stride: Any = None, padding: Any = 0, *others: Any, **keywords: Any) -> Any:
        shape, rest = ranked(x), list(others)
        dilation = rest.pop(0) if dilates and rest else keywords.get("dilation", 1)
        is_ceiling = rest[0] if rest else keywords.get("ceil_mode", False)
        if len(shape) not in (axes + 1, axes + 2):
            return UNKNOWN
        places: Sequence[Dim] = [None] * axes
        if is_ceiling is False:
            places = _windows(shape[-axes:], kernel, stride or kernel, padding, dilation)
        return Tensor(x.type, (*shape[:-axes], *places))

    return made


def adaptive_pool(axes: int) -> Callable[..., Any]:
    """Return the operator that pools to given sizes over this many axes."""

    def made(x: Any, places: Any) -> Any:
        shape = ranked(x)
        if len(shape) not in (axes + 1, axes + 2):
            return UNKNOWN
        sizes = [dim_of(one) for one in _each(places, axes)]
        return Tensor(x.type, (*shape[:-axes], *sizes))

    return made


def batch_norm(x: Any, weight: Any, _: Any, mean: Any, *__: Any, **___: Any) -> Any:
    """Return what a batch normalisation makes of `x`."""
    shape = ranked(x)
    of_channels = next((one for one in (weight, mean) if isinstance(one, Tensor)), None)
    if of_channels is not None and len(shape) > 1:
        (wanted,) = ranked(of_channels)
        if None not in (shape[1], wanted) and shape[1] != wanted:
            fail(f"running_mean should contain {shape[1]} elements not {wanted}")
    return Tensor(x.type if of_channels is None or of_channels.type == x.type else "", shape)


def layer_norm(x: Any, normalized: Any, weight: Any = None, *_: Any, **__: Any) -> Any:
    """Return what a layer normalisation makes of `x`."""
    shape, wanted = ranked(x), [dim_of(one) for one in normalized]
    ends = shape[-len(wanted) :]
    if len(shape) < len(wanted) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(ends, wanted, strict=True)
    ):
        fail(f"Given normalized_shape={wanted}, but got input of size{list(shape)}")
    is_mixed = isinstance(weight, Tensor) and weight.type != x.type
    return Tensor("" if is_mixed else x.type, shape)


def embedding(weight: Any, indices: Any, *_: Any, **__: Any) -> Any:
    """Return the rows of `weight` that `indices` name."""
    if indices.type and indices.type not in ("TYPE_INT32", "TYPE_INT64"):
        fail(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{indices.type} instead"
        )
    return Tensor(weight.type, (*ranked(indices), ranked(weight)[1]))
