"""Element types that a backend cannot carry."""

from collections.abc import Mapping
from typing import Final

from builder.errors import ExportError
from builder.rules.onnxruntime import BF16_SINCE
from builder.spec.dtypes import DType
from builder.spec.project import Backend
from builder.spec.releases import Release
from builder.spec.tensors import Signature, Tensor

_FIRST_WITH_BF16: Final = f"{BF16_SINCE[0]}.{BF16_SINCE[1]:02}"
_TORCHSCRIPT: Final[Mapping[DType, str]] = {
    DType.BF16: "cast to fp32 or fp16 at the model's border",
    DType.UINT16: "use int32 at the model's border, or `backend: onnx`",
    DType.UINT32: "use int64 at the model's border, or `backend: onnx`",
    DType.UINT64: "use int64 at the model's border, or `backend: onnx`",
    DType.STRING: "use `backend: onnx` with an .onnx source, or turn text to numbers before it",
}


def refuse_dtypes(signature: Signature, backend: Backend, release: Release) -> None:
    """Make sure that `backend` of `release` carries every input and output.

    Raises:
        ExportError: it cannot; the first tensor and a way out are named.
    """
    for tensor in (*signature.inputs, *signature.outputs):
        if backend is Backend.TORCHSCRIPT:
            _refuse_torchscript(tensor)
        elif backend is Backend.PYTHON and tensor.dtype is DType.BF16:
            raise ExportError(
                f"{tensor}: Triton's Python backend has no numpy array of bf16",
                fix="give it as fp32 or fp16",
            )
        elif tensor.dtype is DType.BF16 and release.key < BF16_SINCE:
            raise ExportError(
                f"{tensor}: the onnxruntime backend of Triton {release.name} does not carry bf16",
                fix=f"{_FIRST_WITH_BF16} is the first that does; or cast to fp32 at the model's border",
            )


def _refuse_torchscript(tensor: Tensor) -> None:
    if tensor.dtype in _TORCHSCRIPT:
        raise ExportError(
            f"{tensor}: Triton's pytorch backend carries {tensor.dtype.value} in no release",
            fix=_TORCHSCRIPT[tensor.dtype],
        )
    if not tensor.shape:
        raise ExportError(
            f"{tensor} is a scalar, which Triton's pytorch backend does not carry",
            fix="give it one dimension: `reshape(1)` at the model's border",
        )
