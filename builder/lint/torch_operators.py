"""What torch's operators make of the types and shapes of tensors, or why they fail whatever is in the tensors.

What an operator makes of something that is not known is not known either, and neither is what any other operator
makes. A test holds every operator to torch itself.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from builder.lint import torch_layers as layers
from builder.lint.torch_tensors import (
    DEFAULT,
    FLOATS,
    INTEGERS,
    NUMBERS,
    UNKNOWN,
    Dim,
    Number,
    Shape,
    axes_of,
    axis_of,
    dim_of,
    fail,
    need_values,
    promoted,
    ranked,
    shape_of,
    tensor,
)
from builder.rules.pytorch_results import Tensor

_MOST: Final = 2**63
_MOST_AXES: Final = 64
_MOST_TEXT: Final = 10_000


def apply(name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Return what the operator called `name` makes of `arguments`.

    Raises:
        Fails: it refuses them.
    """
    if name.endswith("_") and name[:-1] in _IN_PLACE:
        return arguments[0] if arguments and isinstance(arguments[0], Tensor) else UNKNOWN
    made = OPERATORS.get(name)
    try:
        return UNKNOWN if made is None else _bounded(made(*arguments, **keywords))
    except (TypeError, ValueError, IndexError, AttributeError, KeyError, ArithmeticError):
        return UNKNOWN  # called in a way, or with a blank, that is not followed here


def _bounded(made: Any) -> Any:
    """Return `made`, or a blank where it is larger than anything that a module computes with."""
    if isinstance(made, Tensor):
        shape = made.shape or ()
        is_large = len(shape) > _MOST_AXES or any(size is not None and size > _MOST for size in shape)
    elif isinstance(made, tuple):
        return tuple(map(_bounded, made))
    else:
        is_large = (isinstance(made, str) and len(made) > _MOST_TEXT) or (
            type(made) is int and abs(made) > _MOST
        )
    return UNKNOWN if is_large else made


def is_followed(name: str) -> bool:
    """Return whether what the operator changes in place, if it does, is followed."""
    return not name.endswith("_") or name.startswith("__") or name[:-1] in _IN_PLACE


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return tensor(x)


def _smooth(x: Any, *_: Any, **__: Any) -> Any:
    """Return what has values between those that integers have, of which there is no integer version."""
    return Tensor(x.type if x.type in FLOATS else "", x.shape)


def _real(x: Any, *_: Any, **__: Any) -> Any:
    """Return what an integer is turned into a float for."""
    return Tensor(DEFAULT if x.type in INTEGERS else x.type, x.shape)


def _counted(x: Any, *_: Any, **__: Any) -> Any:
    return Tensor(x.type if x.type != "TYPE_BOOL" else "", x.shape)


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def made(a: Any, b: Any, *_: Any, **__: Any) -> Any:
        if isinstance(a, str) and isinstance(b, str):
            return compute(a, b)
        need_values(a, b)
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            return compute(a, b)
        return Tensor(promoted(a, b), shape_of(a, b))

    return made


def _multiply(a: Any, b: Any) -> Any:
    made = _arithmetic(operator.mul)(a, b)
    # TorchScript takes `mask * 1` for mask, eager torch for integers.
    may_be_one = isinstance(b, Number) or (type(b) is int and b == 1)
    return Tensor("", made.shape) if may_be_one and isinstance(a, Tensor) and a.type == "TYPE_BOOL" else made


def _divide(a: Any, b: Any, *_: Any, rounding_mode: Any = None, **__: Any) -> Any:
    need_values(a, b)
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        return a / b
    found = promoted(a, b) if rounding_mode is None else ""
    return Tensor(DEFAULT if found in INTEGERS else found, shape_of(a, b))


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def made(a: Any, b: Any) -> Any:
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            need_values(a, b)
            return Tensor("TYPE_BOOL", shape_of(a, b))
        return UNKNOWN if _has_blank(a) or _has_blank(b) else compare(a, b)

    return made


def _has_blank(value: Any) -> bool:
    """Return whether something in `value` is not told, or is no number or text."""
    parts = value if isinstance(value, list) else [value]
    return not all(isinstance(one, int | float | str) for one in parts)


def _is(a: Any, b: Any) -> Any:
    if UNKNOWN in (a, b) or (a is not None and b is not None):
        return UNKNOWN
    return a is b


def _is_not(a: Any, b: Any) -> Any:
    found = _is(a, b)
    return found if found is UNKNOWN else not found


def _not(a: Any) -> Any:
    return not a if isinstance(a, bool) else UNKNOWN


def _count(shape: Iterable[Dim]) -> Dim:
    sizes = list(shape)
    if 0 in sizes:
        return 0
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def _flatten(x: Any, start: Any = 0, end: Any = -1) -> Any:
    shape = ranked(x)
    first, last = axis_of(start, len(shape)), axis_of(end, len(shape))
    if first > last:
        fail("flatten() has invalid args: start_dim cannot come after end_dim")
    return Tensor(x.type, (*shape[:first], _count(shape[first : last + 1]), *shape[last + 1 :]))


def _view(x: Any, wanted: Any, *_: Any) -> Any:
    if not isinstance(wanted, list):
        return UNKNOWN
    sizes, given = [dim_of(one) for one in wanted], _count(ranked(x))
    if None in sizes or given is None:
        return Tensor(x.type, tuple(None if size == -1 else size for size in sizes))
    others = math.prod(size for size in sizes if size is not None and size != -1)
    fits = sizes.count(-1) <= 1 and (others == given if -1 not in sizes else others and given % others == 0)
    if not fits:
        fail(f"shape '{sizes}' is invalid for input of size {given}")
    return Tensor(x.type, tuple(given // others if size == -1 else size for size in sizes))


def _permute(x: Any, order: Any) -> Any:
    shape = ranked(x)
    if len(order) != len(shape):
        fail(f"permute(dims): the tensor has {len(shape)} dimensions, and {len(order)} are named")
    return Tensor(x.type, tuple(shape[axis_of(axis, len(shape))] for axis in order))


def _transpose(x: Any, one: Any, other: Any) -> Any:
    shape = list(ranked(x))
    a, b = axis_of(one, len(shape)), axis_of(other, len(shape))
    if shape:
        shape[a], shape[b] = shape[b], shape[a]
    return Tensor(x.type, tuple(shape))


_MATRIX: Final = 2


def _t(x: Any) -> Any:
    if len(ranked(x)) > _MATRIX:
        fail(f"t() expects a tensor with <= 2 dimensions, but self is {len(x.shape)}D")
    return Tensor(x.type, x.shape[::-1])


def _unsqueeze(x: Any, axis: Any) -> Any:
    shape = ranked(x)
    position = axis_of(axis, len(shape) + 1)
    return Tensor(x.type, (*shape[:position], 1, *shape[position:]))


def _squeeze(x: Any, axis: Any = None) -> Any:
    shape = ranked(x)
    if axis is None and None not in shape:
        return Tensor(x.type, tuple(size for size in shape if size != 1))
    if type(axis) is not int:
        return Tensor(x.type, None)
    position = axis_of(axis, len(shape))
    if shape and shape[position] is None:
        return Tensor(x.type, None)
    rest = shape[:position] + shape[position + 1 :]
    return Tensor(x.type, rest if shape and shape[position] == 1 else shape)


def _select(x: Any, axis: Any, index: Any) -> Any:
    shape = ranked(x)
    if not shape:
        fail("select() cannot be applied to a 0-dim tensor.")
    position = axis_of(axis, len(shape))
    size = shape[position]
    if size is not None and type(index) is int and not -size <= index < size:
        fail(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {position}")
    return Tensor(x.type, shape[:position] + shape[position + 1 :])


def _slice(x: Any, axis: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Any:
    shape = list(ranked(x))
    position = axis_of(axis, len(shape))
    size = shape[position]
    is_known = size is not None and all(one is None or type(one) is int for one in (start, end, step))
    shape[position] = (
        len(range(*slice(start, end, step).indices(size))) if size is not None and is_known else None
    )
    return Tensor(x.type, tuple(shape))


def _reduced(x: Any, axes: Any, keeps: Any) -> Shape:
    shape = ranked(x)
    gone = axes_of(axes, len(shape))
    if keeps not in (True, False):
        return None
    return tuple(
        1 if position in gone else size
        for position, size in enumerate(shape)
        if keeps or position not in gone
    )


def _reduction(kind: str) -> Callable[..., Any]:
    def made(x: Any, axes: Any = None, keeps: Any = False, dtype: Any = None, **keywords: Any) -> Any:
        asked = keywords.get("dtype", dtype)
        keeps = keywords.get("keepdim", keeps)
        found = NUMBERS.get(asked, "") if type(asked) is int else x.type
        if asked is not None and type(asked) is not int:
            found = ""
        if kind == "sum" and asked is None and found in INTEGERS:
            found = "TYPE_INT64"
        if kind == "mean" and found in INTEGERS:
            fail(
                "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
                f"Got: {found}"
            )
        return Tensor(found, _reduced(x, axes, keeps))

    return made


def _extreme(x: Any, axis: Any = None, keepdim: Any = False) -> Any:
    if axis is None:
        return Tensor(x.type, ())
    if isinstance(axis, Tensor):
        return Tensor(promoted(x, axis), shape_of(x, axis))
    shape = _reduced(x, [axis], keepdim)
    return (Tensor(x.type, shape), Tensor("TYPE_INT64", shape))


def _position(x: Any, axis: Any = None, keepdim: Any = False) -> Any:
    return Tensor("TYPE_INT64", _reduced(x, axis, keepdim))


def _kept(x: Any, axes: Any = None, keepdim: Any = False) -> Any:
    return Tensor(x.type, _reduced(x, axes, keepdim))


def _top(x: Any, count: Any, axis: Any = -1, *_: Any, **__: Any) -> Any:
    shape = list(ranked(x))
    position, size = axis_of(axis, len(shape)), dim_of(count)
    if not shape:
        return UNKNOWN
    given = shape[position]
    if None not in (given, size) and size > given:  # type: ignore[operator] # neither is None
        fail("selected index k out of range")
    shape[position] = size
    return (Tensor(x.type, tuple(shape)), Tensor("TYPE_INT64", tuple(shape)))


def _softmax(x: Any, axis: Any, dtype: Any = None, **_: Any) -> Any:
    axis_of(axis, len(ranked(x)))
    if type(dtype) is int:
        return Tensor(NUMBERS.get(dtype, ""), x.shape)
    return Tensor(x.type if dtype is None and x.type in FLOATS else "", x.shape)


def _cat(parts: Any, axis: Any = 0) -> Any:
    shapes = [ranked(part) for part in parts]
    if any(shape in ((0,), (None,)) for shape in shapes):
        return UNKNOWN  # torch leaves out what is empty and has one axis
    if len(set(map(len, shapes))) > 1:
        fail(
            "Tensors must have same number of dimensions: got "
            + " and ".join(str(len(shape)) for shape in shapes)
        )
    if not shapes[0]:
        fail("zero-dimensional tensor (at position 0) cannot be concatenated")
    position = axis_of(axis, len(shapes[0]))
    return Tensor(
        promoted(*parts),
        tuple(_along(sizes, own == position) for own, sizes in enumerate(zip(*shapes, strict=True))),
    )


def _along(sizes: Sequence[Dim], is_joined: bool) -> Dim:
    if is_joined:
        return None if None in sizes else sum(size for size in sizes if size is not None)
    known = {size for size in sizes if size is not None}
    if len(known) > 1:
        fail("Sizes of tensors must match except in the dimension along which they are joined")
    return next(iter(known), None)


def _stack(parts: Any, axis: Any = 0) -> Any:
    return _cat([_unsqueeze(part, axis) for part in parts], axis)


def _to(x: Any, *others: Any, **keywords: Any) -> Any:
    shape = tensor(x).shape
    asked = (
        keywords["dtype"] if "dtype" in keywords else next((one for one in others if type(one) is int), None)
    )
    if type(asked) is int:
        return Tensor(NUMBERS.get(asked, ""), shape)
    like = others[0] if others and isinstance(others[0], Tensor) else None
    return Tensor(like.type if like else "", shape)


def _made(sizes: Any, *_: Any, dtype: Any = None, **__: Any) -> Any:
    found = DEFAULT if dtype is None else NUMBERS.get(dtype, "") if type(dtype) is int else ""
    return Tensor(found, tuple(dim_of(one) for one in sizes))


def _made_like(x: Any, *_: Any, dtype: Any = None, **__: Any) -> Any:
    found = x.type if dtype is None else NUMBERS.get(dtype, "") if type(dtype) is int else ""
    return Tensor(found, x.shape)


def _where(condition: Any, a: Any = None, b: Any = None) -> Any:
    need_values(a, b)
    return Tensor(promoted(a, b), shape_of(condition, a, b))


def _filled(x: Any, mask: Any, *_: Any) -> Any:
    return Tensor(x.type, shape_of(x, mask))


def _expand(x: Any, sizes: Any, *_: Any, **__: Any) -> Any:
    shape, wanted = ranked(x), [dim_of(one) for one in sizes]
    own: tuple[Dim, ...] = (1,) * (len(wanted) - len(shape)) + shape
    if len(own) > len(wanted):
        return UNKNOWN
    return Tensor(x.type, tuple(own[at] if size == -1 else size for at, size in enumerate(wanted)))


def _sizes(x: Any, axis: Any = None) -> Any:
    shape = ranked(x)
    found = [UNKNOWN if size is None else size for size in shape]
    return found if axis is None else found[axis_of(axis, len(shape))]


def _length(x: Any) -> Any:
    if isinstance(x, Tensor):
        return _sizes(x, 0)
    return len(x) if isinstance(x, list | tuple | str) else UNKNOWN


def _format(text: Any, *values: Any) -> Any:
    first, *others = text.split("{}")
    shown = ("..." if _has_blank(value) else str(value) for value in values)
    return first + "".join(f"{value}{rest}" for value, rest in zip(shown, others, strict=False))


def _number_of_type(x: Any) -> Any:
    return next((number for number, name in NUMBERS.items() if name == x.type), UNKNOWN)


def _as_number(x: Any) -> Any:
    return x if type(x) in (int, float, bool) else UNKNOWN


_IN_PLACE: Final = frozenset(
    {
        "relu", "add", "sub", "mul", "div", "clamp", "clamp_min", "clamp_max", "hardtanh", "leaky_relu", "elu", "silu",
        "sigmoid", "tanh", "exp", "dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "zero",
        "fill", "copy", "masked_fill", "celu", "selu", "hardswish", "hardsigmoid", "relu6", "rrelu", "threshold",
    }
)  # fmt: skip
"""Those that have a version which writes into its first argument and leaves its type and shape."""

OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    **dict.fromkeys(
        (
            "clone", "contiguous", "detach", "dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout",
            "alias", "flip", "cpu",
        ),
        _same,
    ),
    **dict.fromkeys(
        ("gelu", "silu", "mish", "selu", "elu", "celu", "hardswish", "hardsigmoid", "softplus", "prelu", "leaky_relu"),
        _smooth,
    ),
    **dict.fromkeys(
        ("sigmoid", "tanh", "exp", "log", "sqrt", "rsqrt", "sin", "cos", "erf", "log1p", "reciprocal"), _real
    ),
    **dict.fromkeys(("relu", "abs", "neg", "square"), _counted),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh", "relu6"), _smooth),
    "add": _arithmetic(operator.add),
    "sub": _arithmetic(operator.sub),
    "rsub": _arithmetic(lambda a, b: b - a),
    "mul": _multiply,
    "floordiv": _arithmetic(operator.floordiv),
    "div": _divide,
    "true_divide": _divide,
    "eq": _comparison(operator.eq),
    "ne": _comparison(operator.ne),
    "lt": _comparison(operator.lt),
    "le": _comparison(operator.le),
    "gt": _comparison(operator.gt),
    "ge": _comparison(operator.ge),
    "__is__": _is,
    "__isnot__": _is_not,
    "__not__": _not,
    "linear": layers.linear,
    **dict.fromkeys(("matmul", "mm", "bmm"), layers.matmul),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), layers.conv),
    "_convolution": layers.convolution,
    **{f"max_pool{axes}d": layers.pool(axes, dilates=True) for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": layers.pool(axes, dilates=False) for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": layers.adaptive_pool(axes) for axes in (1, 2, 3)},
    "batch_norm": layers.batch_norm,
    "layer_norm": layers.layer_norm,
    "embedding": layers.embedding,
    "flatten": _flatten,
    **dict.fromkeys(("view", "reshape"), _view),
    "permute": _permute,
    "transpose": _transpose,
    "t": _t,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "select": _select,
    "slice": _slice,
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys(("argmax", "argmin"), _position),
    **dict.fromkeys(("amax", "amin"), _kept),
    "topk": _top,
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    "cat": _cat,
    "stack": _stack,
    "to": _to,
    **dict.fromkeys(("zeros", "ones", "rand", "randn"), _made),
    **dict.fromkeys(("zeros_like", "ones_like", "rand_like", "randn_like"), _made_like),
    "where": _where,
    "masked_fill": _filled,
    "expand": _expand,
    "size": _sizes,
    "dim": lambda x: len(ranked(x)),
    "len": _length,
    "format": _format,
    "prim.NumToTensor": _as_number,
    "prim.dtype": _number_of_type,
}  # fmt: skip
"""By name; those of other libraries than torch's own with the library before."""
