"""The element types, under the name each tool gives them."""

from enum import StrEnum
from typing import Final, NamedTuple


class _Names(NamedTuple):
    triton: str
    wire: str
    numpy: str
    torch: str | None
    onnx: int
    onnxruntime: str
    bytes: int


class DType(StrEnum):
    """An element type; the value is how trb.yaml spells it."""

    BOOL = "bool"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FP16 = "fp16"
    BF16 = "bf16"
    FP32 = "fp32"
    FP64 = "fp64"
    STRING = "string"

    @property
    def triton(self) -> str:
        """The name in config.pbtxt, such as `TYPE_FP32`."""
        return _NAMES[self].triton

    @property
    def wire(self) -> str:
        """The name in the inference protocol, such as `FP32` (strings are `BYTES`)."""
        return _NAMES[self].wire

    @property
    def numpy(self) -> str:
        """The numpy name, such as `float32` (strings are `object`)."""
        return _NAMES[self].numpy

    @property
    def torch(self) -> str | None:
        """The attribute of `torch`, such as `float32`; None where torch has no such type."""
        return _NAMES[self].torch

    @property
    def onnx(self) -> int:
        """The number in ONNX's TensorProto.DataType."""
        return _NAMES[self].onnx

    @property
    def onnxruntime(self) -> str:
        """ONNX Runtime's name of a tensor of it, such as `tensor(float)`."""
        return f"tensor({_NAMES[self].onnxruntime})"

    @property
    def bytes(self) -> int:
        """The size of one element; 0 for strings."""
        return _NAMES[self].bytes

    @property
    def is_float(self) -> bool:
        """Whether elements can be NaN."""
        return self in (DType.FP16, DType.BF16, DType.FP32, DType.FP64)

    @property
    def is_integer(self) -> bool:
        """Whether elements are whole numbers (bool is not)."""
        return self.value.startswith(("int", "uint"))

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and largest finite value of a number; those of whole numbers are `int`.

        Raises:
            KeyError: bool and string have none.
        """
        if self.is_integer:
            bits = self.bytes * 8
            return (
                (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
                if self.value.startswith("int")
                else (0, 2**bits - 1)
            )
        return -_LARGEST[self], _LARGEST[self]

    @classmethod
    def from_name(cls, name: str) -> "DType":
        """Return the type that any of the tools calls `name`: fp32, TYPE_FP32, FP32, BYTES, float32, torch.float32.

        Raises:
            KeyError: no tool has such a type, or Triton cannot name it (complex64).
        """
        return _BY_NAME[name.removeprefix("torch.")]

    @classmethod
    def from_onnx(cls, number: int) -> "DType":
        """Return the type of ONNX's TensorProto.DataType `number`.

        Raises:
            KeyError: Triton has no such type.
        """
        return _BY_ONNX[number]

    @classmethod
    def from_onnxruntime(cls, name: str) -> "DType":
        """Return the type that ONNX Runtime calls `name`, such as `tensor(float)`.

        Raises:
            KeyError: it is no tensor (`seq(tensor(float))`), or Triton has no such type.
        """
        return _BY_ONNXRUNTIME[name]


_NAMES: Final = {
    DType.BOOL: _Names("TYPE_BOOL", "BOOL", "bool", "bool", 9, "bool", 1),
    DType.UINT8: _Names("TYPE_UINT8", "UINT8", "uint8", "uint8", 2, "uint8", 1),
    DType.UINT16: _Names("TYPE_UINT16", "UINT16", "uint16", "uint16", 4, "uint16", 2),
    DType.UINT32: _Names("TYPE_UINT32", "UINT32", "uint32", "uint32", 12, "uint32", 4),
    DType.UINT64: _Names("TYPE_UINT64", "UINT64", "uint64", "uint64", 13, "uint64", 8),
    DType.INT8: _Names("TYPE_INT8", "INT8", "int8", "int8", 3, "int8", 1),
    DType.INT16: _Names("TYPE_INT16", "INT16", "int16", "int16", 5, "int16", 2),
    DType.INT32: _Names("TYPE_INT32", "INT32", "int32", "int32", 6, "int32", 4),
    DType.INT64: _Names("TYPE_INT64", "INT64", "int64", "int64", 7, "int64", 8),
    DType.FP16: _Names("TYPE_FP16", "FP16", "float16", "float16", 10, "float16", 2),
    DType.BF16: _Names("TYPE_BF16", "BF16", "bfloat16", "bfloat16", 16, "bfloat16", 2),
    DType.FP32: _Names("TYPE_FP32", "FP32", "float32", "float32", 1, "float", 4),
    DType.FP64: _Names("TYPE_FP64", "FP64", "float64", "float64", 11, "double", 8),
    DType.STRING: _Names("TYPE_STRING", "BYTES", "object", None, 8, "string", 0),
}
_BY_NAME: Final = {
    name: dtype
    for dtype, row in _NAMES.items()
    for name in (dtype.value, row.triton, row.wire, row.numpy, row.torch)
    if name is not None
}
_BY_ONNX: Final = {row.onnx: dtype for dtype, row in _NAMES.items()}
_BY_ONNXRUNTIME: Final = {dtype.onnxruntime: dtype for dtype in DType}
_LARGEST: Final = {
    DType.FP16: 65504.0,
    DType.BF16: float.fromhex("0x1.fep127"),
    DType.FP32: float.fromhex("0x1.fffffep127"),
    DType.FP64: float.fromhex("0x1.fffffffffffffp1023"),
}
