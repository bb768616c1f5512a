"""Whether an ensemble and its models mean the same data type and shape by each tensor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Literal

from builder.rules.ensembles.part import Part, Parts
from builder.rules.ensembles.steps import Use, steps
from builder.rules.refusal import (
    BATCHED_DIM,
    Config,
    Place,
    Refusal,
    backend_dims,
    max_batch_size,
    shape_text,
    tensors,
)

_BOTH: tuple[Literal["input", "output"], ...] = ("input", "output")


@dataclass(frozen=True, slots=True)
class _Node:
    """What one model says of an ensemble's tensor."""

    model: str
    type: str
    dims: tuple[int, ...]
    """Without the batch."""
    is_batched: bool
    place: Place = ()
    """Where the ensemble's own config says it; empty for another model."""
    is_reshaped: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """With the batch."""
        return (BATCHED_DIM, *self.dims) if self.is_batched else self.dims

    def shapes(self, *, of_rows: bool) -> tuple[tuple[int, ...], ...]:
        """Return how the tensor may come, or come out; one row `of_rows` goes into a model that does not batch."""
        return (self.dims, self.shape, (1, *self.dims) if of_rows else self.dims)


def check(config: Config, parts: Parts) -> Iterator[Refusal]:
    """Yield each tensor of which two models say different things, once."""
    nodes = _declared(config)
    refused: set[str] = set()
    used = list(_used(config, parts))
    for use, node in used:
        first = nodes.setdefault(use.tensor, node)
        refusal = None if use.tensor in refused else _difference(config["name"], use, first, node)
        if refusal is not None:
            refused.add(use.tensor)
            others = {_fix(refusal.code, first, other) for one, other in used if one.tensor == use.tensor}
            is_clear = first.place and not first.is_reshaped
            yield replace(refusal, right=refusal.fix if is_clear and len(others) == 1 else None)


def contradictions(config: Config, parts: Parts) -> Iterator[Refusal]:
    """Yield the tensors of which two models want shapes that exclude each other, and which the server does not compare.

    It compares each with the first that it sees, and where that has -1 both may have anything.
    """
    found: dict[str, dict[tuple[tuple[int, ...], bool], tuple[Use, _Node]]] = {}
    written: dict[str, bool] = {}
    for use, node in _used(config, parts):
        found.setdefault(use.tensor, {}).setdefault((node.dims, node.is_batched), (use, node))
        if use.map == "output_map":
            written[use.tensor] = node.is_batched
    for tensor, nodes in found.items():
        of_rows = written.get(tensor, max_batch_size(config) > 0)
        for (_, one), (use, other) in combinations(nodes.values(), 2):
            pairs = product(one.shapes(of_rows=of_rows), other.shapes(of_rows=of_rows))
            if not any(fits(a, b) for a, b in pairs):
                yield _contradiction(config["name"], use, one, other)
                break


def _contradiction(name: str, use: Use, one: _Node, other: _Node) -> Refusal:
    return Refusal(
        f"in ensemble {name}, ensemble tensor {use.tensor}: every request fails, as model {one.model} has "
        f"{shape_text(one.shape)} and model {other.model} has {shape_text(other.shape)}",
        kind="request",
        code="E122",
        place=use.tensor_place,
        fix="map another tensor, or put a model that reshapes between",
    )


def _declared(config: Config) -> dict[str, _Node]:
    """Return the ensemble's own tensors; of two with one name the server takes the first."""
    found: dict[str, _Node] = {}
    for io in _BOTH:
        for position, tensor in enumerate(tensors(config, io)):
            node = _Node(
                model=config["name"],
                type=tensor.get("data_type") or "",
                dims=backend_dims(tensor),
                is_batched=max_batch_size(config) > 0,
                place=(io, position),
                is_reshaped="reshape" in tensor,
            )
            found.setdefault(str(tensor.get("name") or ""), node)
    return found


def _used(config: Config, parts: Parts) -> Iterator[tuple[Use, _Node]]:
    """Yield what the steps' models say, in the order in which the server compares."""
    for step in steps(config):
        part = parts.get(step.model)
        if part is None or part.failure:
            continue
        for tensor in tensors(part.config, "input"):
            yield from (
                (use, _node(step.model, part, tensor)) for use in step.inputs if use.key == tensor["name"]
            )
        for use in step.outputs:
            of_model = next((one for one in tensors(part.config, "output") if one["name"] == use.key), None)
            if of_model is not None:
                yield use, _node(step.model, part, of_model)


def _node(model: str, part: Part, tensor: Config) -> _Node:
    """Return what a model says of a tensor to its clients, of whom the ensemble is one."""
    dims = tuple(int(dim) for dim in tensor.get("dims") or ())
    return _Node(model, tensor.get("data_type") or "", dims, max_batch_size(part.config) > 0)


def _difference(name: str, use: Use, first: _Node, second: _Node) -> Refusal | None:
    if first.place and not (
        first.type and first.dims and all(dim > 0 or dim == BATCHED_DIM for dim in first.dims)
    ):
        return None  # the tensor is wrong by itself, which is another refusal
    if first.type != second.type:
        code, part, what = "E116", "data_type", ("data type", first.type, second.type)
    elif not fits(first.dims, second.dims) and not fits(first.shape, second.shape):
        code, part = "E117", "reshape" if first.is_reshaped else "dims"
        what = ("shape", shape_text(first.shape), shape_text(second.shape))
    else:
        return None
    return Refusal(
        f"in ensemble {name}, ensemble tensor {use.tensor}: inconsistent {what[0]}: {what[1]} is inferred from model "
        f"{first.model} while {what[2]} is inferred from model {second.model}",
        code=code,
        place=(*first.place, part) if first.place else use.tensor_place,
        fix=_fix(code, first, second),
    )


def _fix(code: str, first: _Node, second: _Node) -> str:
    """Return what the ensemble should say of its own tensor, or what to do about two models that differ."""
    if not first.place:
        return "map another tensor, or put a model that converts between"
    if code == "E116":
        return f"data_type: {second.type}"
    dims = second.dims
    if first.is_batched and not second.is_batched and dims[:1] == (BATCHED_DIM,):
        dims = dims[1:]
    elif second.is_batched and not first.is_batched:
        dims = second.shape
    return f"reshape {{ shape: {shape_text(dims)} }}" if first.is_reshaped else f"dims: {shape_text(dims)}"


def fits(one: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether the core takes two shapes for the same, -1 standing for any size."""
    return len(one) == len(other) and all(
        a == b or BATCHED_DIM in (a, b) for a, b in zip(one, other, strict=True)
    )
