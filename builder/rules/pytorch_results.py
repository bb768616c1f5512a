"""What the pytorch backend hands to `forward`, and what it cannot answer with, by the types and shapes of tensors."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from builder.rules import pytorch
from builder.rules.pytorch import Argument
from builder.rules.pytorch_values import Type
from builder.rules.refusal import BATCHED_DIM, Config, Refusal, backend_dims, tensors

_OF_TEXT: Final = "TYPE_INT32"
"""What the backend compares a tensor with where the config says TYPE_STRING."""


class Tensor(NamedTuple):
    """A tensor as far as it is known without running anything."""

    type: str
    """Its data type, such as `TYPE_FP32`; empty where it is not known."""
    shape: tuple[int | None, ...] | None
    """None for a size, or for all of them, that is not known."""


Given = Tensor | dict[str, Tensor] | None
"""An argument of `forward`; None where it is no tensor, or nothing is known of it."""


def given(config: Config, arguments: Sequence[Argument], *, rows: int) -> list[Given]:
    """Return what `forward` gets for a request.

    Args:
        config: the configuration.
        arguments: those of `forward`, self left out.
        rows: how many the request has; 0 for a model that takes no batches.
    """
    known = {tensor["name"]: _input(tensor, rows) for tensor in tensors(config, "input")}
    if pytorch.takes_dict(arguments):
        return [{name: tensor for name, tensor in known.items() if tensor is not None}]
    found: list[Given] = [None] * len(arguments)
    for name, position in pytorch.call_positions(config, arguments).items():
        if position < len(found):
            found[position] = known.get(name)
    return found


def _input(tensor: Config, rows: int) -> Tensor | None:
    if tensor["data_type"] == "TYPE_STRING" or tensor.get("allow_ragged_batch"):
        return None
    dims = tuple(None if dim == BATCHED_DIM else dim for dim in backend_dims(tensor))
    return Tensor(tensor["data_type"], (rows, *dims) if rows else dims)


def failed(config: Config, why: str) -> Refusal:
    """Return that every request fails inside the model, `why` being what torch says of it."""
    inputs = tensors(config, "input")
    return Refusal(
        "PyTorch execute failure: The following operation failed in the TorchScript interpreter. RuntimeError: "
        f"{why}",
        kind="request",
        code="T215",
        place=("input", 0) if len(inputs) == 1 else ("input",),
        fix="give the inputs the `dims` and the `data_type` that the module was made for",
    )


def check(
    config: Config, returned: Type, results: Sequence[Tensor | None], *, rows: int
) -> Iterator[Refusal]:
    """Yield why the server cannot answer.

    Args:
        config: the configuration.
        returned: the type that `forward` returns.
        results: what it returns for a request, as far as that is known: empty for nothing at all.
        rows: how many the request has; 0 for a model that takes no batches.
    """
    names = [tensor["name"] for tensor in tensors(config, "output")]
    for own, position in enumerate(pytorch.output_positions(names).values()):
        result = results[position] if position < len(results) else None
        if result is None and _is_tensor(returned, position):
            result = Tensor("", None)
        if result is not None:
            yield from _type(config, own, result)
            yield from _rows(config, own, result, rows)


def _is_tensor(returned: Type, position: int) -> bool:
    return position < len(returned.results) and returned.results[position].kind == "TensorType"


def _type(config: Config, own: int, result: Tensor) -> Iterator[Refusal]:
    output = tensors(config, "output")[own]
    wanted = output["data_type"]
    compared = _OF_TEXT if wanted == "TYPE_STRING" else wanted
    if result.type == compared or not (result.type or wanted == "TYPE_STRING"):
        return
    is_carried = result.type in pytorch.TENSOR_TYPES
    yield Refusal(
        f"configuration expects datatype {wanted} for output '{output['name']}', model provides "
        f"{result.type or 'a tensor'}",
        kind="request",
        code="T213",
        place=("output", own, "data_type"),
        fix=f"data_type: {result.type}" if is_carried else "",
        right=f"data_type: {result.type}" if is_carried else None,
    )


def _rows(config: Config, own: int, result: Tensor, rows: int) -> Iterator[Refusal]:
    name = tensors(config, "output")[own]["name"]
    if result.shape == ():
        yield Refusal(
            f"output '{name}' is a scalar which is not supported.",
            kind="request",
            code="T214",
            place=("output", own),
            fix="return it with an axis: value.reshape(1)" if not rows else _KEEP,
        )
    elif result.shape is not None and result.shape[0] is not None and result.shape[0] < rows:
        yield Refusal(
            f"failed to split the output tensor '{name}' in responses: expected batch size of at least {rows} in "
            f"model output, got {result.shape[0]}",
            kind="request",
            code="T214",
            place=("output", own),
            fix=_KEEP,
        )


_KEEP: Final = "keep the batch axis first in what forward() returns, or max_batch_size: 0"
