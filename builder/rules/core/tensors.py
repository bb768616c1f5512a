"""The inputs and outputs of a config, each by itself."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from builder.rules.refusal import BATCHED_DIM, Config, Refusal, max_batch_size, tensors

ENSEMBLE: Final = "ensemble"
TENSORRT: Final = "tensorrt_plan"
_IMAGES: Final = ("FORMAT_NHWC", "FORMAT_NCHW")
_IMAGE_RANK: Final = 3
_BOTH: Final[tuple[Literal["input", "output"], ...]] = ("input", "output")
_VARIABLE: Final = "must be integer >= 1, or -1 to indicate a variable-size dimension"

Found = Iterator[tuple[str, str, str]]
"""The code, the part and the words of what is wrong with a tensor."""


def check(config: Config) -> Iterator[Refusal]:
    """Yield what the core has against each input and output."""
    for io in _BOTH:
        for position, tensor in enumerate(tensors(config, io)):
            for code, part, words in _tensor(config, io, tensor):
                place = (io, position, part) if part in tensor else (io, position)
                yield Refusal(f"{words} for {config['name']}", code=code, place=place)
    if config.get("platform") != ENSEMBLE:
        yield from _unanswerable(config)


def _tensor(config: Config, io: str, tensor: Config) -> Found:
    if not tensor.get("name"):
        yield "C206", "name", f"model {io} must specify 'name'"
        return
    for code, part, words in _shape(tensor, batched=max_batch_size(config) != 0):
        yield code, part, f"model {io} '{tensor['name']}' {words}"
    rank = len(tensor.get("dims") or ())
    if tensor.get("format") in _IMAGES and rank != _IMAGE_RANK:
        yield "C209", "format", f"model {io} NHWC/NCHW require 3 dims"
    yield from _tensorrt(tensor, io, rank, has_tensorrt=config.get("platform") == TENSORRT)


def _tensorrt(tensor: Config, io: str, rank: int, *, has_tensorrt: bool) -> Found:
    if tensor.get("is_shape_tensor") and not has_tensorrt:
        yield "C219", "is_shape_tensor", "shape tensors are only supported for TensorRT platform"
    part = "is_non_linear_format_io"
    if tensor.get(part) and not has_tensorrt:
        yield "C219", part, "Non-linear IO format is only supported for the TensorRT platform"
    elif tensor.get(part) and rank != _IMAGE_RANK:
        yield "C219", part, f"Non-linear IO format {io} requires 3 dims"


def _shape(tensor: Config, *, batched: bool) -> Found:
    dims = [int(dim) for dim in tensor.get("dims") or ()]
    if tensor.get("data_type") in (None, "", 0, "TYPE_INVALID"):
        yield "C206", "data_type", "must specify 'data_type'"
    elif not dims:
        yield "C206", "dims", "must specify 'dims'"
    elif tensor.get("reshape") is None:
        if not all(map(_is_dim, dims)):
            yield "C207", "dims", f"dimension {_VARIABLE}"
    else:
        shape = [int(dim) for dim in tensor["reshape"].get("shape") or ()]
        yield from _reshape(dims, shape, batched=batched)


def _reshape(dims: list[int], shape: list[int], *, batched: bool) -> Found:
    if not shape and not batched:
        words = "cannot have empty reshape for non-batching model as scalar tensors are not supported"
        yield "C208", "reshape", words
    elif not all(map(_is_dim, dims)):
        yield "C207", "dims", f"dimension {_VARIABLE}"
    elif not all(map(_is_dim, shape)):
        yield "C208", "reshape", f"reshape dimensions {_VARIABLE}"
    elif BATCHED_DIM in dims and dims.count(BATCHED_DIM) != shape.count(BATCHED_DIM) > 0:
        words = "has different number of variable-size dimensions for dims and reshape"
        yield "C208", "reshape", words
    elif _sizes(dims) != _sizes(shape):
        yield "C208", "reshape", "has different size for dims and reshape"


def _is_dim(dim: int) -> bool:
    return dim >= 1 or dim == BATCHED_DIM


def _sizes(dims: Sequence[int]) -> list[int]:
    """Return the number of elements before, between and after the variable dims, in 64 bits as the core counts."""
    found: list[list[int]] = [[]]
    for dim in dims:
        if dim == BATCHED_DIM:
            found.append([])
        else:
            found[-1].append(dim)
    return [math.prod(part) % 2**64 for part in found]


def _unanswerable(config: Config) -> Iterator[Refusal]:
    """Yield what loads and is then in the way of every request."""
    seen: set[str] = set()
    for position, tensor in enumerate(tensors(config, "input")):
        name = tensor.get("name") or ""
        if isinstance(tensor.get("data_type"), int):
            yield Refusal(
                f"inference input '{name}' data-type is ..., but model '{config['name']}' expects '<invalid>': "
                f"{tensor['data_type']} is no data type",
                kind="request",
                code="C234",
                place=("input", position, "data_type"),
            )
        if name in seen and not tensor.get("optional"):
            yield Refusal(
                f"input '{name}' is given twice: a request with it counts as one that lacks an input",
                kind="request",
                code="C235",
                place=("input", position, "name"),
            )
        seen.add(name)
