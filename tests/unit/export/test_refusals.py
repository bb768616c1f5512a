"""Element types that no exporter is asked for."""

import pytest

from builder.errors import ExportError
from builder.export.refusals import refuse_dtypes
from builder.spec.dtypes import DType
from builder.spec.project import Backend
from builder.spec.releases import release
from builder.spec.tensors import Signature, Tensor


def signature(dtype: DType, *shape: int | str) -> Signature:
    plain = Tensor(name="x", dtype=DType.FP32, shape=("batch", 2))
    return Signature(inputs=(plain,), outputs=(Tensor(name="y", dtype=dtype, shape=shape),))


def test_bf16_names_the_first_release_that_carries_it() -> None:
    """bf16 in ONNX is refused before 26.03 and passes from there."""
    with pytest.raises(ExportError, match=r"y bf16\[batch\]") as caught:
        refuse_dtypes(signature(DType.BF16, "batch"), Backend.ONNX, release("26.02"))

    assert "26.03" in caught.value.fix
    refuse_dtypes(signature(DType.BF16, "batch"), Backend.ONNX, release("26.03"))


@pytest.mark.parametrize("dtype", [DType.BF16, DType.UINT16, DType.UINT32, DType.UINT64, DType.STRING])
def test_what_the_pytorch_backend_never_carries_is_refused_with_a_way_out(dtype) -> None:
    """Each such type is an error for TorchScript in every release."""
    with pytest.raises(ExportError, match="in no release") as caught:
        refuse_dtypes(signature(dtype, "batch"), Backend.TORCHSCRIPT, release("26.08"))

    assert caught.value.fix


def test_a_scalar_is_refused_for_torchscript_alone() -> None:
    """A tensor without axes passes for ONNX and not for TorchScript."""
    refuse_dtypes(signature(DType.FP32), Backend.ONNX, release("24.10"))

    with pytest.raises(ExportError, match="is a scalar"):
        refuse_dtypes(signature(DType.FP32), Backend.TORCHSCRIPT, release("24.10"))
