import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import serialize_byte_tensor

from builder.feeds.wire import tensor_bytes
from builder.spec.dtypes import DType

TEXTS = np.array([[b"a", "h\u00e9".encode()], [b"", b"\x00\xff"]], dtype=object)


def test_strings_travel_as_the_client_library_sends_them() -> None:
    """Our bytes of a string tensor are those of tritonclient."""
    assert tensor_bytes(TEXTS, DType.STRING) == serialize_byte_tensor(TEXTS).item()


@pytest.mark.parametrize("dtype", [DType.FP32, DType.INT64, DType.BOOL])
def test_a_transposed_array_travels_row_by_row(dtype: DType) -> None:
    """Bytes follow the shape, not the memory of the array."""
    array = np.arange(6).reshape(2, 3).astype(dtype.numpy)

    assert tensor_bytes(array.T, dtype) == np.ascontiguousarray(array.T).tobytes()


@given(st.lists(st.binary(max_size=9)))
def test_strings_are_written_with_their_length(texts: list[bytes]) -> None:
    """Reading lengths and texts in turn gives the strings back."""
    left = tensor_bytes(np.array(texts, dtype=object), DType.STRING)
    read = []
    while left:
        size = int.from_bytes(left[:4], "little")
        read.append(left[4 : 4 + size])
        left = left[4 + size :]
    assert read == texts


def test_numbers_are_little_endian_whatever_the_array_is() -> None:
    """An array of the other byte order is turned round."""
    assert tensor_bytes(np.array([1, 2], dtype=">i4"), DType.INT32) == b"\x01\0\0\0\x02\0\0\0"


def test_bf16_is_two_bytes_a_number() -> None:
    """1.0 in bf16 is 0x3f80."""
    assert tensor_bytes(np.array([1.0], dtype=ml_dtypes.bfloat16), DType.BF16) == b"\x80\x3f"
