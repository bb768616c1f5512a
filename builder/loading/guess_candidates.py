"""What an argument of `forward` could be: evidence from the layers it reaches, examples, and its name."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import torch
from torch import fx, nn

from builder.loading.guess_names import annotated, dtype_of, float_of, is_mask, masks, of_name
from builder.loading.guessed import Candidate
from builder.spec.dtypes import DType
from builder.spec.tensors import Dim

_SPATIAL: Final = ("length", "height", "width", "depth")
_SQUARES: Final = (28, 32, 64, 224, 8, 16, 48, 96, 128, 256, 299, 384)
_MOST_LAYERS: Final = 4


def candidates(module: nn.Module, names: tuple[str, ...]) -> Mapping[str, tuple[Candidate, ...]]:
    """Return what each argument may be, likeliest first; nothing where there is no evidence."""
    reached = _reached(module)
    known = [name for name, layer in module.named_modules() if list(_of_layer(name, layer))][:_MOST_LAYERS]
    parameters = inspect.signature(module.forward).parameters
    found = {name: tuple(_of_argument(name, reached.get(name, {}), known, module)) for name in names}
    if len(names) > 1 and any(isinstance(layer, nn.Embedding) for layer in module.modules()):
        found = {name: one if reached.get(name) else (*one, *_guesses(name)) for name, one in found.items()}
    return {name: _of_dtype(name, one, annotated(parameters[name])) for name, one in found.items()}


def _of_argument(
    name: str, reached: Mapping[str, bool], known: list[str], module: nn.Module
) -> Iterator[Candidate]:
    """Yield what an argument may be.

    Args:
        name: of the argument.
        reached: the layers that it flows into, and whether nothing is done to it before.
        known: all layers whose first argument is known.
        module: the whole.
    """
    if is_mask(name):
        yield from masks(name)
    for path, directly in reached.items():
        for candidate in _of_layer(path, module.get_submodule(path)):
            yield candidate if directly else _doubted(candidate)
    yield from of_name(name, module)
    for path in () if reached else known:
        yield from map(_doubted, _of_layer(path, module.get_submodule(path)))


def _doubted(candidate: Candidate) -> Candidate:
    """Return ids of a table as such that must show it: what is masked or counted may run as ids too."""
    return replace(candidate, must_end=candidate.dtype is DType.INT64)


def _of_dtype(name: str, found: tuple[Candidate, ...], dtype: DType | None) -> tuple[Candidate, ...]:
    """Return those of the annotated type; what is annotated as bool may be a mask by that alone."""
    further = masks(name, "a mask by its annotation") if dtype is DType.BOOL and not is_mask(name) else ()
    fitting = [one for one in (*further, *found) if one.dtype is dtype]
    return tuple(dict.fromkeys(fitting or found))


def _guesses(name: str) -> Iterator[Candidate]:
    """Yield what an argument may be of which neither a layer nor its name tells anything, beside ids."""
    why = "a guess: it reaches no layer that tells, and such a mask ran"
    return (replace(mask, is_guess=True) for mask in masks(name, why))


def _of_layer(path: str, layer: nn.Module) -> Iterator[Candidate]:
    """Yield what `layer` takes as its first argument; nothing when those are complex numbers."""
    if _is_complex(layer):
        return
    for kinds, shapes in _TAKES:
        if isinstance(layer, kinds):
            for shape in shapes(layer):
                yield Candidate(dtype=float_of(layer), shape=shape, why=_why(path, layer))
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


def _reached(module: nn.Module) -> Mapping[str, Mapping[str, bool]]:
    """Return the known layers that each argument flows into first, and whether as it is, where torch.fx can see it."""
    try:
        graph = fx.Tracer().trace(module)
    except Exception:  # noqa: BLE001 - the user's forward meets proxies and may raise anything; trials decide then
        return {}
    return {
        node.target: dict(_layers_after(node, module)) for node in graph.nodes if node.op == "placeholder"
    }


def _layers_after(start: fx.Node, module: nn.Module) -> Iterator[tuple[str, bool]]:
    seen, waiting = {start}, [start]
    while waiting:
        for user in waiting.pop(0).users:
            if user in seen:
                continue
            seen.add(user)
            path = str(user.target)
            if user.op == "call_module" and list(_of_layer(path, module.get_submodule(path))):
                yield path, user in start.users
            else:
                waiting.append(user)


def of_example(name: str, value: torch.Tensor) -> Iterator[Candidate]:
    """Yield the shape of an example, its first axis the batch; then the same with a dynamic second axis.

    An example of complex numbers, without axes or without elements shows nothing that Triton could carry.
    """
    dtype = dtype_of(value)
    sizes = tuple(value.shape)
    if dtype is None or not value.numel() or not sizes:
        return
    whole = (float(value.min()), float(value.max())) if dtype.is_integer else None
    why = f"the module's own example {list(sizes)} of `{name}`"
    if dtype.is_integer and len(sizes) == 2:  # noqa: PLR2004 - [batch, tokens]
        yield Candidate(dtype=dtype, shape=("batch", "seq"), range=whole, why=why)
    yield Candidate(dtype=dtype, shape=("batch", *sizes[1:]), range=whole, why=why)
    yield Candidate(dtype=dtype, shape=sizes, range=whole, why=why)
