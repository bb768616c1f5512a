"""Values of one feed: seeded, and inside each input's declared range."""

import hashlib
import string
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model

_LETTERS: Final = np.array(list(string.ascii_lowercase + string.digits))
_LONGEST_WORD: Final = 12


def random_feed(model: Model, sizes: Mapping[str, int], seed: int) -> Feed:
    """Return inputs of these axis sizes; the same seed, names and sizes give the same values in every process."""
    return {
        name: random_array(tensor, shape_of(tensor, sizes), generator(seed, name, shape_of(tensor, sizes)))
        for name, tensor in model.inputs.items()
    }


def edge_feeds(model: Model, sizes: Mapping[str, int]) -> Iterator[tuple[str, Feed]]:
    """Yield feeds at the edges of the declared ranges: smallest, largest, zeros, and all three mixed.

    With `parity.special_values`, also NaN and infinity in the float inputs.
    """
    kinds = ["smallest", "largest", "zero", "mixed"]
    floats = any(tensor.dtype.is_float for tensor in model.inputs.values())
    kinds += ["NaN", "infinity"] if model.parity.special_values and floats else []
    for kind in kinds:
        yield (
            kind,
            {name: _edge(kind, tensor, shape_of(tensor, sizes)) for name, tensor in model.inputs.items()},
        )


def generator(seed: int, name: str, shape: tuple[int, ...]) -> np.random.Generator:
    """Return a generator that depends on nothing but its arguments."""
    digest = hashlib.sha256(f"{seed}/{name}/{shape}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def shape_of(tensor: Input, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the tensor's shape with every axis at its size."""
    return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in tensor.shape)


def random_array(tensor: Input, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Return values in the declared range; without one floats are standard normal, integers 0 or 1."""
    dtype = tensor.dtype
    if dtype is DType.STRING:
        return _words(shape, rng)
    if dtype is DType.BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.is_integer:
        low, high = tensor.range or (0, 1)
        return rng.integers(int(low), int(high), shape, dtype=dtype.numpy, endpoint=True)
    if tensor.range is None:
        return rng.standard_normal(shape).astype(_numpy(dtype))
    return _within(rng.uniform(*tensor.range, shape), tensor)


def _within(values: Any, tensor: Input) -> Any:
    """Round to the dtype without leaving the range: 0.1 as fp16 may lie outside [0, 0.1]."""
    assert tensor.range is not None
    dtype = _numpy(tensor.dtype)
    low, high = (np.array(edge).astype(dtype) for edge in tensor.range)
    low = np.nextafter(low, np.array(np.inf, dtype)) if low < tensor.range[0] else low
    high = np.nextafter(high, np.array(-np.inf, dtype)) if high > tensor.range[1] else high
    return np.clip(values.astype(dtype), low, high)


def _edge(kind: str, tensor: Input, shape: tuple[int, ...]) -> Any:
    dtype = tensor.dtype
    rng = generator(0, kind, shape)
    if dtype is DType.STRING:
        return np.full(shape, b"" if kind in ("smallest", "zero") else b"x" * _LONGEST_WORD, dtype=object)
    if dtype is DType.BOOL:
        return (
            rng.integers(0, 2, shape).astype(bool) if kind == "mixed" else np.full(shape, kind == "largest")
        )
    if kind in ("NaN", "infinity") and dtype.is_float:
        values = random_array(tensor, shape, rng)
        values.reshape(-1)[:: max(1, values.size // 3)] = np.nan if kind == "NaN" else np.inf
        return values
    low, high = tensor.range if tensor.range is not None else ((0, 1) if dtype.is_integer else (-4.0, 4.0))
    zero = min(max(0.0, low), high)
    ends = {"smallest": low, "largest": high, "zero": zero}
    chosen = rng.choice([low, zero, high], shape) if kind not in ends else np.full(shape, ends[kind])
    if dtype.is_integer:
        exact = np.array([int(low), int(zero), int(high)], dtype=dtype.numpy)  # floats lose 2**63 - 1
        pick = {"smallest": 0, "zero": 1, "largest": 2}
        return exact[rng.integers(0, 3, shape)] if kind not in pick else np.full(shape, exact[pick[kind]])
    return _within(chosen, Input(dtype=dtype, shape=tensor.shape, range=(low, high)))


def _words(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    words = np.empty(int(np.prod(shape)), dtype=object)
    for n in range(words.size):
        words[n] = "".join(rng.choice(_LETTERS, int(rng.integers(1, _LONGEST_WORD)))).encode()
    return words.reshape(shape)


def _numpy(dtype: DType) -> Any:
    if dtype is DType.BF16:
        import ml_dtypes  # numpy has no bfloat16 of its own

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(dtype.numpy)
