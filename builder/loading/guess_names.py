"""What the name of an argument of `forward`, and its annotation, say that it is."""

import re
from collections.abc import Iterator
from inspect import Parameter
from typing import Final

import torch
from torch import nn

from builder.loading.guessed import Candidate
from builder.spec.dtypes import DType

_MASK: Final = re.compile(r"(.*_)?(mask|padding|pad)\Z")
_PADDING: Final = re.compile(r".*pad")
_IDS: Final = re.compile(r"(.*_)?(ids?|tokens?|index|indices)\Z")
_STATE: Final = re.compile(r"(h|c|h_?0|c_?0|hx|cx|hidden|cell|states?)\Z")
_ANNOTATED: Final = re.compile(r"\b(Bool|Byte|Char|Short|Int|Long|Half|BFloat16|Float|Double)Tensor\b")
_DTYPES: Final = {
    "Bool": DType.BOOL, "Byte": DType.UINT8, "Char": DType.INT8, "Short": DType.INT16, "Int": DType.INT32,
    "Long": DType.INT64, "Half": DType.FP16, "BFloat16": DType.BF16, "Float": DType.FP32, "Double": DType.FP64,
}  # fmt: skip


def is_mask(name: str) -> bool:
    """Return whether an argument is a mask by its name."""
    return bool(_MASK.match(name))


def annotated(parameter: Parameter) -> DType | None:
    """Return the element type that an annotation such as `torch.BoolTensor` names; `Tensor` names none."""
    found = _ANNOTATED.search(str(parameter.annotation))
    return _DTYPES[found[1]] if found else None


def of_name(name: str, module: nn.Module) -> Iterator[Candidate]:
    """Yield what an argument of this name usually is."""
    if is_mask(name):
        yield from masks(name)
    if _IDS.match(name):
        for rows in sorted(_tables(module), reverse=True):  # trials feed the last row: the right one is found
            why = f"ids by its name; an embedding has {rows} rows"
            yield Candidate(dtype=DType.INT64, shape=("batch", "seq"), range=(0, rows - 1), why=why)
    for layer in module.modules():
        if _STATE.match(name) and isinstance(layer, nn.RNNBase):
            yield from _of_state(layer)


def masks(name: str, why: str = "a mask by its name") -> Iterator[Candidate]:
    """Yield the kinds of mask: of numbers 0 and 1, as `attention_mask` is, or of bools, as padding is."""
    dtypes = [DType.INT64, DType.BOOL, DType.FP32]
    for dtype in (
        sorted(dtypes, key=lambda dtype: dtype is not DType.BOOL) if _PADDING.match(name) else dtypes
    ):
        ends = None if dtype is DType.BOOL else (0.0, 1.0)
        yield Candidate(dtype=dtype, shape=("batch", "seq"), range=ends, is_mask=True, why=why)


def _tables(module: nn.Module) -> set[int]:
    return {layer.num_embeddings for layer in module.modules() if isinstance(layer, nn.Embedding)}


def _of_state(layer: nn.RNNBase) -> Iterator[Candidate]:
    depth = layer.num_layers * (2 if layer.bidirectional else 1)
    for shape in (("batch", depth, layer.hidden_size), (depth, "batch", layer.hidden_size)):
        yield Candidate(dtype=float_of(layer), shape=shape, why=f"a state of {type(layer).__name__}")


def float_of(layer: nn.Module) -> DType:
    """Return the type of the floats that `layer` takes: that of its weights, unless those are quantised."""
    weight = next(layer.parameters(), None)
    dtype = dtype_of(weight) if weight is not None else None
    return dtype if dtype is not None and dtype.is_float else DType.FP32


def dtype_of(value: torch.Tensor) -> DType | None:
    """Return the element type of `value`; None: Triton carries no such values."""
    try:
        return DType.from_name(str(value.dtype))
    except KeyError:
        return None
