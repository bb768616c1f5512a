"""What an argument of `forward` could be: evidence from the layers it reaches, examples, and its name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import fx, nn

from builder.spec.dtypes import DType
from builder.spec.tensors import Dim

_SPATIAL: Final = ("length", "height", "width", "depth")
_SQUARES: Final = (28, 32, 64, 224, 8, 16, 48, 96, 128, 256, 299, 384)
_MASK: Final = re.compile(r"(.*_)?mask\Z")
_IDS: Final = re.compile(r"(.*_)?(ids?|tokens?|index|indices)\Z")
_STATE: Final = re.compile(r"(h|c|h_?0|c_?0|hx|cx|hidden|cell|states?)\Z")
_MOST_LAYERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A dtype and a shape that an input may have."""

    dtype: DType
    shape: tuple[Dim, ...]
    range: tuple[float, float] | None = None
    why: str
    """The evidence, for the comment in trb.yaml."""


def candidates(module: nn.Module, names: tuple[str, ...]) -> Mapping[str, tuple[Candidate, ...]]:
    """Return what each argument may be, likeliest first; nothing where there is no evidence."""
    reached = _reached(module)
    known = [(name, layer) for name, layer in module.named_modules() if list(_of_layer(name, layer))]
    return {
        name: tuple(dict.fromkeys(_of_argument(name, reached.get(name, ()), known[:_MOST_LAYERS], module)))
        for name in names
    }


def _of_argument(
    name: str, reached: tuple[str, ...], known: list[tuple[str, nn.Module]], module: nn.Module
) -> Iterator[Candidate]:
    for path in reached:
        yield from _of_layer(path, module.get_submodule(path))
    yield from _of_name(name, module)
    if not reached:
        for path, layer in known:
            yield from _of_layer(path, layer)


def _of_name(name: str, module: nn.Module) -> Iterator[Candidate]:
    if _MASK.match(name):
        shape = ("batch", "seq")
        yield Candidate(dtype=DType.INT64, shape=shape, range=(0, 1), why="a mask by its name")
        yield Candidate(dtype=DType.BOOL, shape=shape, why="a mask by its name")
    if _IDS.match(name):
        for rows in sorted(
            _tables(module), reverse=True
        ):  # trials feed the last row, and so find the right one
            why = f"ids by its name; an embedding has {rows} rows"
            yield Candidate(dtype=DType.INT64, shape=("batch", "seq"), range=(0, rows - 1), why=why)
    for layer in module.modules():
        if _STATE.match(name) and isinstance(layer, nn.RNNBase):
            yield from _of_state(layer)


def _tables(module: nn.Module) -> set[int]:
    return {layer.num_embeddings for layer in module.modules() if isinstance(layer, nn.Embedding)}


def _of_state(layer: nn.RNNBase) -> Iterator[Candidate]:
    depth = layer.num_layers * (2 if layer.bidirectional else 1)
    for shape in (("batch", depth, layer.hidden_size), (depth, "batch", layer.hidden_size)):
        yield Candidate(dtype=_float_of(layer), shape=shape, why=f"a state of {type(layer).__name__}")


def _of_layer(path: str, layer: nn.Module) -> Iterator[Candidate]:
    """Yield what `layer` takes as its first argument; nothing when those are complex numbers."""
    if _is_complex(layer):
        return
    for kinds, shapes in _TAKES:
        if isinstance(layer, kinds):
            for shape in shapes(layer):
                yield Candidate(dtype=_float_of(layer), shape=shape, why=_why(path, layer))
            return
    if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        ends = (0.0, float(layer.num_embeddings - 1))
        for shape in (("batch", "seq"), ("batch",)):
            yield Candidate(dtype=DType.INT64, shape=shape, range=ends, why=_why(path, layer))


def _conv(layer: Any) -> Iterator[tuple[Dim, ...]]:
    rank = len(layer.kernel_size)
    yield ("batch", layer.in_channels, *(_SPATIAL[:1] if rank == 1 else ("depth", *_SPATIAL[1:3])[-rank:]))
    for size in _SQUARES:
        yield ("batch", layer.in_channels, *(size,) * rank)


def _linear(layer: Any) -> Iterator[tuple[Dim, ...]]:
    yield ("batch", layer.in_features)
    yield ("batch", "seq", layer.in_features)


def _recurrent(layer: Any) -> Iterator[tuple[Dim, ...]]:
    axes = ("batch", "seq") if layer.batch_first else ("seq", "batch")
    yield (*axes, layer.input_size)


def _attention(layer: Any) -> Iterator[tuple[Dim, ...]]:
    attention = layer if isinstance(layer, nn.MultiheadAttention) else layer.self_attn
    yield (*(("batch", "seq") if attention.batch_first else ("seq", "batch")), attention.embed_dim)


def _batch_norm(layer: Any) -> Iterator[tuple[Dim, ...]]:
    if isinstance(layer, nn.BatchNorm1d):
        yield ("batch", layer.num_features)
        yield ("batch", layer.num_features, "length")
    else:
        yield ("batch", layer.num_features, "height", "width")
        for size in _SQUARES:
            yield ("batch", layer.num_features, size, size)


def _layer_norm(layer: Any) -> Iterator[tuple[Dim, ...]]:
    yield ("batch", *layer.normalized_shape)
    yield ("batch", "seq", *layer.normalized_shape)


_TAKES: Final[tuple[tuple[Any, Any], ...]] = (
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), _conv),
    ((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _conv),
    (nn.Linear, _linear),
    (nn.RNNBase, _recurrent),
    ((nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer), _attention),
    ((nn.BatchNorm1d, nn.BatchNorm2d), _batch_norm),
    (nn.LayerNorm, _layer_norm),
)


def _float_of(layer: nn.Module) -> DType:
    """Return the type of the floats that `layer` takes: that of its weights, unless those are quantised."""
    weight = next(layer.parameters(), None)
    dtype = _dtype(weight) if weight is not None else None
    return dtype if dtype is not None and dtype.is_float else DType.FP32


def _dtype(value: torch.Tensor) -> DType | None:
    """Return the element type of `value`; None: Triton carries no such values."""
    try:
        return DType.from_name(str(value.dtype))
    except KeyError:
        return None


def _is_complex(layer: nn.Module) -> bool:
    return any(weight.is_complex() for weight in layer.parameters())


def _why(path: str, layer: nn.Module) -> str:
    kind = type(layer).__name__
    what = next((f"{key}={getattr(layer, key)}" for key in _WIDTHS if hasattr(layer, key)), "")
    return f"{path or 'it'}: {kind}({what})"


_WIDTHS: Final = (
    "in_channels", "in_features", "input_size", "num_embeddings", "embed_dim", "num_features",
    "normalized_shape",
)  # fmt: skip


def _reached(module: nn.Module) -> Mapping[str, tuple[str, ...]]:
    """Return the known layers that each argument flows into first, where torch.fx can see it."""
    try:
        graph = fx.Tracer().trace(module)
    except Exception:  # noqa: BLE001 - the user's forward meets proxies and may raise anything; trials decide then
        return {}
    return {
        node.target: tuple(_layers_after(node, module)) for node in graph.nodes if node.op == "placeholder"
    }


def _layers_after(start: fx.Node, module: nn.Module) -> Iterator[str]:
    seen, waiting = {start}, [start]
    while waiting:
        for user in waiting.pop(0).users:
            if user in seen:
                continue
            seen.add(user)
            path = str(user.target)
            if user.op == "call_module" and list(_of_layer(path, module.get_submodule(path))):
                yield path
            else:
                waiting.append(user)


def of_example(name: str, value: torch.Tensor) -> Iterator[Candidate]:
    """Yield the shape of an example, its first axis the batch; then the same with a dynamic second axis.

    An example of complex numbers, without axes or without elements shows nothing that Triton could carry.
    """
    dtype = _dtype(value)
    sizes = tuple(value.shape)
    if dtype is None or not value.numel() or not sizes:
        return
    whole = (float(value.min()), float(value.max())) if dtype.is_integer else None
    why = f"the module's own example {list(sizes)} of `{name}`"
    if dtype.is_integer and len(sizes) == 2:  # noqa: PLR2004 - [batch, tokens]
        yield Candidate(dtype=dtype, shape=("batch", "seq"), range=whole, why=why)
    yield Candidate(dtype=dtype, shape=("batch", *sizes[1:]), range=whole, why=why)
    yield Candidate(dtype=dtype, shape=sizes, range=whole, why=why)
