"""A compiled module behind a `forward` that Triton can call: tensors in, tensor or flat tuple out."""

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Dict, Final, List, Optional, Tuple, Union  # noqa: F401, UP035 - the source that `flat` compiles

import torch
from torch import Tensor, nn  # noqa: F401 - likewise

from builder.spec.loaded import Loaded
from builder.spec.tensors import Signature


class Flat(nn.Module):
    """Holds the compiled module; its `forward` is defined later, from source made for one signature."""

    def __init__(self, inner: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.inner = inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where the outputs are in `r`, which a compiled module returned."""

    lines: tuple[str, ...] = ()
    """Statements to run first."""
    expressions: tuple[str, ...]
    """One for each output."""


def flat(loaded: Loaded, inner: torch.jit.ScriptModule, call: str, results: Paths) -> torch.jit.ScriptModule:
    """Return `inner` behind a forward whose arguments have the input names.

    Args:
        loaded: gives the input names.
        inner: the compiled module.
        call: its arguments, in terms of `argument_names`.
        results: where the outputs are in what `inner` returned.
    """
    names = ", ".join(argument_names(loaded.signature))
    found = results.expressions
    returned = found[0] if len(found) == 1 else f"({', '.join(found)})"
    lines = (f"r = self.inner({call})", *results.lines, f"return {returned}")
    # torch shares one compiled class among equal modules of a class; `forward` could not be defined on it twice.
    own_class = type(Flat.__name__, (Flat,), {"__module__": __name__})
    module: torch.jit.ScriptModule = torch.jit.script(own_class(inner).eval())
    module.define(f"def forward(self, {names}):\n    " + "\n    ".join(lines) + "\n")
    module.eval()
    return module


def argument_names(signature: Signature) -> tuple[str, ...]:
    """Return the input names, by which Triton then binds; `argument_<index>` if Python cannot say them."""
    names = tuple(tensor.name for tensor in signature.inputs)
    if all(
        name.isidentifier() and not keyword.iskeyword(name) and name not in {"self", "r"} for name in names
    ):
        return names
    return tuple(f"argument_{place}" for place in range(len(names)))


def paths(nested: Any, returned: Any, flat_outputs: Sequence[torch.Tensor]) -> Paths:
    """Return for each of `flat_outputs` the expression that finds it in `nested`, the own answer.

    Args:
        nested: what the module answered.
        returned: the type that its compiled `forward` returns.
        flat_outputs: the tensors to find.

    Raises:
        LookupError: one of them is nowhere in it.
    """
    lines: list[str] = []
    leaves = list(_leaves(nested, "r", returned, lines))
    expressions = tuple(_take(leaves, tensor, place) for place, tensor in enumerate(flat_outputs))
    return Paths(lines=tuple(lines), expressions=expressions)


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


def _leaves(nested: Any, path: str, kind: Any, lines: list[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every tensor in `nested` with the expression for it; the lines to run before are added to `lines`."""
    path, kind = _refined(nested, path, kind, lines)
    if isinstance(nested, torch.Tensor):
        yield path, nested
        return
    for step, value, inner in _steps(nested, kind):
        yield from _leaves(value, f"{path}{step}", inner, lines)


def _steps(nested: Any, kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what leads to each part of a container, the part, and the type it is compiled as; None: not known."""
    known = _kind(kind)
    if isinstance(nested, Mapping):
        inner = kind.getValueType() if known == "DictType" else None
        yield from ((f"[{key!r}]", value, inner) for key, value in nested.items())
    elif isinstance(nested, (tuple, list)):
        each = [kind.getElementType()] * len(nested) if known == "ListType" else [None] * len(nested)
        inners = kind.elements() if known == "TupleType" else each
        yield from ((f"[{n}]", value, inners[n]) for n, value in enumerate(nested))
    elif is_dataclass(nested):
        yield from ((f".{field.name}", getattr(nested, field.name), None) for field in fields(nested))


def _refined(nested: Any, path: str, kind: Any, lines: list[str]) -> tuple[str, Any]:
    """Return the expression and the type of a part; of one of several types, those it has in `nested`.

    TorchScript takes nothing out of a Union or an Optional before an `assert isinstance` has said which it is.
    """
    if _kind(kind) not in ("UnionType", "OptionalType"):
        return path, kind
    wanted = next((name for python, name in _KINDS if isinstance(nested, python)), "")
    member = next((one for one in kind.containedTypes() if one.kind() == wanted), None)
    if member is None:
        return path, kind
    if hasattr(nested, "_fields"):
        raise LookupError(
            f"a part of the answer may be of several types, and {type(nested).__name__} is one of them"
        )
    name = f"part_{len(lines)}"
    lines += [f"{name} = {path}", f"assert isinstance({name}, {member.annotation_str})"]
    return name, member


def _kind(kind: Any) -> str:
    return str(kind.kind()) if kind is not None else ""


_KINDS: Final = (
    (torch.Tensor, "TensorType"),
    (Mapping, "DictType"),
    (list, "ListType"),
    (tuple, "TupleType"),
)
