"""What Triton's onnxruntime backend loads and then cannot answer, or answers otherwise than it seems."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from builder.rules.refusal import Config, ModelTensor, Refusal, backend_dims, max_batch_size, tensors

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
