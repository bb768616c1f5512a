"""Run a TorchScript file in torch."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import torch

from builder.errors import ExportError
from builder.spec.loaded import Feed, Runner
from builder.spec.tensors import Signature


def open_torchscript(path: Path, signature: Signature, *, threads: int) -> Runner:
    """Open the TorchScript file at `path` on the CPU, in inference mode as Triton's pytorch backend runs it.

    Inputs go in by position, in the order of `signature.inputs`; the outputs take its outputs' names.
    `threads` is torch's process-wide setting, set anew at each run.

    Raises:
        ExportError: torch cannot read the file.
    """
    module = open_module(path)

    def run(feed: Feed) -> dict[str, Any]:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.inference_mode():
            answer = module(*(as_tensor(feed[tensor.name]) for tensor in signature.inputs))
        return _named(answer, signature, path)

    return run


def open_module(path: Path) -> Any:
    """Return the ScriptModule at `path`, on the CPU.

    Raises:
        ExportError: torch cannot read the file.
    """
    try:
        return torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"torch {torch.__version__} cannot read {path.name}: {error}") from error


def as_tensor(array: Any) -> torch.Tensor:
    """Return a copy of `array`, of any dtype that torch has; bf16 comes as `ml_dtypes.bfloat16`."""
    own = np.array(array, order="C")  # a copy: a model must not write into the caller's array
    if own.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(own.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(own)


def _named(answer: Any, signature: Signature, path: Path) -> dict[str, Any]:
    tensors = (answer,) if isinstance(answer, torch.Tensor) else tuple(answer)
    if len(tensors) != len(signature.outputs):
        raise ExportError(
            f"{path.name} returns {len(tensors)} outputs, but its signature has {len(signature.outputs)}"
        )
    named = zip(signature.outputs, tensors, strict=True)
    return {output.name: tensor.detach().numpy() for output, tensor in named}
