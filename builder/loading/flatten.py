"""Whatever `forward` returns, as a flat list of named tensors."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch

from builder.errors import SourceError

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.]+")
_POSITION: Final = re.compile(r"__+(\d+)\Z")


def flatten(result: Any, *, names: tuple[str, ...] = ()) -> tuple[tuple[str, torch.Tensor], ...]:
    """Return the tensors of `result` with stable names.

    A lone tensor is `output`. A dict, dataclass or named tuple gives its keys, a list or tuple its places:
    `output_0`, `output_1`. Inner ones are joined with `_`: `states_0`. None is left out. `names` replaces all
    of them, in order.

    Raises:
        SourceError: a leaf is no tensor, a tensor has no axis, or `names` has another length.
    """
    found = [(_fit(name), tensor) for name, tensor in _leaves(result, "")]
    if not found:
        raise SourceError(f"`forward` returns {_kind(result)}, which holds no tensor")
    if names and len(names) != len(found):
        given = ", ".join(name for name, _ in found)
        raise SourceError(
            f"output_names has {len(names)} names, but `forward` gives {len(found)} outputs: {given}"
        )
    if names:
        found = [(name, tensor) for name, (_, tensor) in zip(names, found, strict=True)]
    for name, tensor in found:
        if tensor.ndim == 0:
            raise SourceError(
                f"output `{name}` is a scalar, and Triton carries none", fix="return it with one axis"
            )
    return tuple(_distinct(found))


def is_flat(result: Any) -> bool:
    """Whether `result` is a tensor or a plain tuple of tensors, as Triton wants of TorchScript."""
    if isinstance(result, torch.Tensor):
        return True
    return type(result) is tuple and all(isinstance(item, torch.Tensor) for item in result)


def tensors(result: Any) -> tuple[torch.Tensor, ...]:
    """Return the tensors of `result` in the order of `flatten`."""
    return tuple(tensor for _, tensor in _leaves(result, ""))


def left_out(result: Any) -> tuple[str, ...]:
    """Return a note for every part of `result` that is None, and so no output."""
    return tuple(f"`forward` gives None for {name}, which is left out" for name in _nones(result, ""))


def _nones(result: Any, name: str) -> Iterator[str]:
    if result is None:
        yield name or "its result"
    elif not isinstance(result, torch.Tensor):
        for key, value in _children(result, name):
            yield from _nones(value, key)


def _leaves(result: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(result, torch.Tensor):
        yield name or "output", result
    elif result is not None:
        for key, value in _children(result, name):
            yield from _leaves(value, key)


def _children(result: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(result, Mapping):
        pairs = [(str(key), value) for key, value in result.items()]
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        pairs = [(field.name, getattr(result, field.name)) for field in dataclasses.fields(result)]
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        pairs = list(zip(result._fields, result, strict=True))
    elif isinstance(result, tuple | list):
        name = name or "output"
        pairs = [(str(place), value) for place, value in enumerate(result)]
    else:
        where = f"output `{name}` is" if name else "`forward` returns"
        raise SourceError(f"{where} {_kind(result)}; Triton carries tensors alone", fix="return tensors")
    yield from ((f"{name}_{key}" if name else key, value) for key, value in pairs)


def _fit(name: str) -> str:
    """Return `name` with what Triton's backends could misread replaced."""
    plain = _UNFIT.sub("_", name).strip("_") or "output"
    return _POSITION.sub(r"_\1", plain)


def _distinct(found: list[tuple[str, torch.Tensor]]) -> Iterator[tuple[str, torch.Tensor]]:
    taken: set[str] = set()
    for name, tensor in found:
        free = name
        while free in taken:
            free = f"{free}_again"
        taken.add(free)
        yield free, tensor


def _kind(result: Any) -> str:
    return f"a {type(result).__name__}" if result is not None else "None"
