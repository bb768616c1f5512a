"""Arrays as the bytes that Triton reads, in a request and in a file alike."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from builder.feeds.values import numpy_dtype
from builder.spec.dtypes import DType


def tensor_bytes(array: Any, dtype: DType) -> bytes:
    """Return the elements row by row, little-endian; a string as its length in four bytes and its text."""
    if dtype is DType.STRING:
        return b"".join(len(text).to_bytes(4, "little") + text for text in _texts(array))
    little = numpy_dtype(dtype).newbyteorder("<")
    return bytes(np.ascontiguousarray(np.asarray(array).astype(little, copy=False)).tobytes())


def _texts(array: Any) -> Iterator[bytes]:
    for item in np.asarray(array).ravel():
        yield item if isinstance(item, bytes) else str(item).encode()
