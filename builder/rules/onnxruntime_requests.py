"""What Triton's onnxruntime backend loads and then cannot answer, or answers otherwise than it seems."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from builder.rules.refusal import (
    BATCHED_DIM,
    Config,
    ModelTensor,
    Refusal,
    backend_dims,
    max_batch_size,
    tensors,
)

_LEVELS: Final = {
    -1: "only basic optimisations, not none",
    2: "no optimisation at all, not more than level 1",
}


def check(config: Config, outputs: Sequence[ModelTensor], *, unranked: Collection[str]) -> list[Refusal]:
    """Return what a server would do to people's surprise.

    Args:
        config: the configuration, completed where auto-complete is on.
        outputs: the graph's outputs, with the shapes that ONNX Runtime inferred.
        unranked: the names of those outputs without a shape that nothing proves to be a single number.
    """
    return [*_scalars(config, outputs, unranked), *_level(config)]


def narrowed(config: Config, inputs: Sequence[ModelTensor]) -> Mapping[str, Sequence[int]]:
    """Return the shapes that `config` gives to the inputs, -1 for a free axis; none where the graph's say as much."""
    known = {tensor.name: tensor.shape for tensor in inputs}
    batch = (BATCHED_DIM,) if max_batch_size(config) else ()
    shapes = {
        tensor["name"]: (*batch, *backend_dims(tensor))
        for tensor in tensors(config, "input")
        if not tensor.get("allow_ragged_batch")
    }
    is_narrower = any(
        size != BATCHED_DIM == of_graph
        for name, shape in shapes.items()
        for size, of_graph in zip(shape, known.get(name, ()), strict=False)
    )
    return shapes if is_narrower else {}


def unfit(config: Config, why: str) -> list[Refusal]:
    """Return that every request fails in the graph, `why` being what ONNX Runtime says of it; nothing without."""
    if not why:
        return []
    inputs = tensors(config, "input")
    return [
        Refusal(
            f"every request fails with the dims that the config gives to the inputs: {why}",
            kind="request",
            code="O211",
            place=("input", 0, "dims") if len(inputs) == 1 else ("input",),
            fix="give the inputs the `dims` that the graph works with",
        )
    ]


def _scalars(config: Config, outputs: Sequence[ModelTensor], unranked: Collection[str]) -> Iterator[Refusal]:
    without_shape = {tensor.name for tensor in outputs if not tensor.shape}
    for position, tensor in enumerate(tensors(config, "output")):
        name = tensor["name"]
        if name not in without_shape:
            continue
        most = max_batch_size(config)
        if most > 1 or (most and not backend_dims(tensor)):
            yield Refusal(
                f"failed to split the output tensor '{name}' in responses: expected batch size of at least 2 in "
                "model output, got 1",
                kind="request",
                code="O208",
                place=("output", position),
                fix="keep the batch axis in the model (keepdims=1), or max_batch_size: 0",
            )
        elif name in unranked:
            yield Refusal(
                f"nothing tells how many axes output '{name}' has; the backend takes it for a single number and "
                "returns the first",
                kind="surprise",
                code="O209",
                place=("output", position),
                fix="declare the output's shape in the graph",
            )


def _level(config: Config) -> Iterator[Refusal]:
    level = int(((config.get("optimization") or {}).get("graph") or {}).get("level") or 0)
    if level in _LEVELS:
        yield Refusal(
            f"graph level {level} means {_LEVELS[level]}: -1 is basic, 1 extended, 2 none, anything else all",
            kind="surprise",
            code="C241",
            place=("optimization", "graph", "level"),
        )
