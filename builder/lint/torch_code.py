"""What the code in a TorchScript file asks of the server that runs it."""

from collections.abc import Iterator
from typing import Final

from builder.lint.target import Target
from builder.lint.torchscript_view import TorchScriptView
from builder.rules.refusal import Config, Refusal

_LIBRARIES: Final = frozenset(
    {
        "prim", "aten", "prims", "profiler", "rngprim", "inductor", "higher_order", "onnx", "cuda", "static_runtime",
        "quantized", "_quantized", "quantized_decomposed", "sparse", "xnnpack", "mkldnn", "mkldnn_prepacked", "mkl",
        "prepacked", "vulkan_prepack", "metal_prepack", "tensorexpr", "_caffe2", "c10d", "c10d_functional",
        "_c10d_functional", "symm_mem", "debugprims", "nvprims", "fb", "torchvision", "image", "tensorrt",
    }
)  # fmt: skip
"""Those that libtorch, torchvision and Torch-TensorRT register; the image of Triton has all three."""

_SINCE: Final = {"aten::scaled_dot_product_attention": (2, 0)}
"""Operators tried in an older libtorch, which did not know them, with the torch that brought them."""


def check(config: Config, found: TorchScriptView, target: Target) -> Iterator[Refusal]:
    """Yield what the server may not have, and what it will do unasked."""
    yield from _operators(found, target)
    yield from _devices(config, found, target)
    if found.in_training:
        yield Refusal(
            f"saved in training mode ({', '.join(found.in_training)}): Triton does not switch it off, so that equal "
            "requests may get different answers",
            kind="surprise",
            code="T106",
            fix="call model.eval() before torch.jit.script or torch.jit.trace, and save again",
        )


def _operators(found: TorchScriptView, target: Target) -> Iterator[Refusal]:
    for operator in sorted(found.operators):
        library = operator.partition("::")[0]
        if library not in _LIBRARIES:
            yield Refusal(
                f"Unknown builtin op: {operator}.",
                code="T104",
                fix=f"the library that registers {library}:: is not in the image: start the server with it in "
                "LD_PRELOAD, then --ignore T104",
            )
    torch = target.release.torch
    for operator, since in _SINCE.items():
        if torch and operator in found.operators and tuple(map(int, torch.split("."))) < since:
            yield Refusal(
                f"Unknown builtin op: {operator}: torch {'.'.join(map(str, since))} brought it, Triton "
                f"{target.release.name} has about {torch}",
                kind="surprise",
                code="T105",
                fix="export with an older torch, or serve it with a newer Triton",
            )


def _devices(config: Config, found: TorchScriptView, target: Target) -> Iterator[Refusal]:
    kinds = {group.get("kind") for group in config.get("instance_group") or ()}
    for device in found.devices:
        on_gpu = device.startswith("cuda")
        if on_gpu and target.gpus == 0 and device in found.always:
            yield Refusal(
                f"PyTorch execute failure: the code makes tensors on {device}, and the server has no GPU",
                kind="request",
                code="T107",
                fix=_ANYWHERE,
            )
        elif on_gpu or kinds == {"KIND_GPU"}:
            yield Refusal(
                f"the code makes tensors on {device}, whatever device the instance is on",
                kind="surprise",
                code="T107",
                fix=_ANYWHERE,
            )


_ANYWHERE: Final = (
    "take the device from an input (x.device) and script the module; a trace writes it down for good"
)
