"""The tensors that `sequence_batching` adds to a model's inputs."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from builder.rules.refusal import Config, Place

_TRUTHS: Final = {
    "int32_false_true": "TYPE_INT32",
    "fp32_false_true": "TYPE_FP32",
    "bool_false_true": "TYPE_BOOL",
}


class Control(NamedTuple):
    """One thing that the server tells a model about a sequence."""

    name: str
    """The tensor that carries it."""
    type: str
    """The tensor's data type."""
    place: Place


def controls(config: Config) -> Iterator[Control]:
    """Yield every control; the backends count one input for each, also where two are to share a tensor."""
    for position, tensor in enumerate(_block(config).get("control_input") or ()):
        for which, control in enumerate(tensor.get("control") or ()):
            truths = (kind for key, kind in _TRUTHS.items() if control.get(key))
            yield Control(
                name=tensor.get("name", ""),
                type=next(truths, control.get("data_type") or ""),
                place=("sequence_batching", "control_input", position, "control", which),
            )


def control_names(config: Config) -> tuple[str, ...]:
    """Return the names of the control tensors that the server adds to every request."""
    return tuple(control.get("name", "") for control in _block(config).get("control_input") or ())


def tensor_count(config: Config) -> int:
    """Return how many inputs of the model come from controls and states rather than from the client."""
    return sum(1 for _ in controls(config)) + len(_block(config).get("state") or ())


def _block(config: Config) -> Config:
    block: Config = config.get("sequence_batching") or {}
    return block
