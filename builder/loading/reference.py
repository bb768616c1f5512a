"""What a source in memory answers: numpy in, numpy out."""

from typing import Any

import torch

from builder.errors import SourceError
from builder.loading.callables import told
from builder.runtimes import as_tensor
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, Runner
from builder.spec.tensors import Tensor


def run_module(module: Any, inputs: tuple[Tensor, ...], feed: Feed) -> Any:
    """Call `module` with `feed` in the order of `inputs` and return whatever it returns.

    Raises:
        SourceError: it raises; the call is shown.
    """
    arguments = [as_tensor(feed[tensor.name]) for tensor in inputs]
    try:
        with torch.inference_mode():
            return module(*arguments)
    except Exception as error:  # the user's code raises anything
        pairs = zip(inputs, arguments, strict=True)
        shown = ", ".join(f"{tensor.name}={_told(value)}" for tensor, value in pairs)
        raise SourceError(
            f"`forward` refuses the inputs of trb.yaml: forward({shown})\n  {told(error)}",
            fix="correct `inputs` and `dims` in trb.yaml, or the module",
        ) from error


def _told(value: torch.Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"


def module_runner(module: Any, inputs: tuple[Tensor, ...], names: tuple[str, ...]) -> Runner:
    """Return a runner of a module that returns a tensor or a flat tuple of tensors, called `names`."""

    def run(feed: Feed) -> dict[str, Any]:
        result = run_module(module, inputs, feed)
        found = (result,) if isinstance(result, torch.Tensor) else tuple(result)
        return {name: as_array(tensor) for name, tensor in zip(names, found, strict=True)}

    return run


def as_array(tensor: torch.Tensor) -> Any:
    """Return a tensor as a numpy array of its own memory; bf16 as `ml_dtypes.bfloat16`."""
    plain = tensor.detach().cpu().contiguous()
    if plain.dtype is torch.bfloat16:
        import ml_dtypes  # numpy has no bfloat16 of its own

        return plain.view(torch.int16).numpy().view(ml_dtypes.bfloat16).copy()
    return plain.numpy().copy()


def dtype_of(name: str, tensor: torch.Tensor) -> DType:
    """Return the element type of an output.

    Raises:
        SourceError: Triton has no such type.
    """
    try:
        return DType.from_name(str(tensor.dtype))
    except KeyError:
        kind = str(tensor.dtype).removeprefix("torch.")
        fix = (
            "return its real and imaginary parts: torch.view_as_real"
            if tensor.dtype.is_complex
            else "cast it"
        )
        raise SourceError(f"output `{name}` is {kind}; no release of Triton carries it", fix=fix) from None
