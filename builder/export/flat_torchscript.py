"""A compiled module behind a `forward` that Triton can call: tensors in, tensor or flat tuple out."""

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import nn

from builder.spec.loaded import Loaded


class Flat(nn.Module):
    """Holds the compiled module; its `forward` is defined later, from source made for one signature."""

    def __init__(self, inner: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.inner = inner


def flat(
    loaded: Loaded, inner: torch.jit.ScriptModule, call: str, results: Sequence[str]
) -> torch.jit.ScriptModule:
    """Return `inner` behind a forward whose arguments have the input names.

    Args:
        loaded: gives the input names.
        inner: the compiled module.
        call: its arguments, in terms of `argument_names(loaded)`.
        results: one expression over `r`, what `inner` returned, for each output.
    """
    names = ", ".join(argument_names(loaded))
    returned = results[0] if len(results) == 1 else f"({', '.join(results)})"
    # torch shares one compiled class among equal modules of a class; `forward` could not be defined on it twice.
    own_class = type(Flat.__name__, (Flat,), {"__module__": __name__})
    module: torch.jit.ScriptModule = torch.jit.script(own_class(inner).eval())
    module.define(f"def forward(self, {names}):\n    r = self.inner({call})\n    return {returned}\n")
    module.eval()
    return module


def argument_names(loaded: Loaded) -> tuple[str, ...]:
    """Return the input names, by which Triton then binds; `argument_<index>` if Python cannot say them."""
    names = tuple(tensor.name for tensor in loaded.signature.inputs)
    if all(
        name.isidentifier() and not keyword.iskeyword(name) and name not in {"self", "r"} for name in names
    ):
        return names
    return tuple(f"argument_{place}" for place in range(len(names)))


def paths(nested: Any, flat_outputs: Sequence[torch.Tensor]) -> tuple[str, ...]:
    """Return for each of `flat_outputs` the expression over `r` that finds it in `nested`, the own answer.

    Raises:
        LookupError: one of them is nowhere in it.
    """
    leaves = list(_leaves(nested, "r"))
    return tuple(_take(leaves, tensor, place) for place, tensor in enumerate(flat_outputs))


def _take(leaves: list[tuple[str, torch.Tensor]], wanted: torch.Tensor, place: int) -> str:
    for path, tensor in (
        *leaves[place : place + 1],
        *leaves,
    ):  # usually the order is kept; else it is searched
        if tensor.shape == wanted.shape and tensor.dtype == wanted.dtype and _same(tensor, wanted):
            return path
    raise LookupError(f"output {place} is not among the tensors that forward returns")


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool(torch.allclose(a.double(), b.double(), rtol=1e-5, atol=1e-8, equal_nan=True))


def _leaves(nested: Any, path: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(nested, torch.Tensor):
        yield path, nested
    elif isinstance(nested, Mapping):
        for key, value in nested.items():
            yield from _leaves(value, f"{path}[{key!r}]")
    elif isinstance(nested, (tuple, list)):
        for place, value in enumerate(nested):
            yield from _leaves(value, f"{path}[{place}]")
    elif is_dataclass(nested):
        for field in fields(nested):
            yield from _leaves(getattr(nested, field.name), f"{path}.{field.name}")
