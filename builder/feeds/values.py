"""Arrays of one input: drawn, or filled, within what the spec declares."""

import hashlib
import string
from typing import Any, Final

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from builder.errors import SpecError
from builder.spec.dtypes import DType
from builder.spec.project import Input

Array = NDArray[Any]
Shape = tuple[int, ...]

_FOUR_SIGMA: Final = 4.0
_LETTERS: Final = np.array(list(string.ascii_letters))
_LONGEST_WORD: Final = 12


def generator(seed: int, *words: str) -> np.random.Generator:
    """Return a random generator that depends on the arguments alone, in every process alike."""
    digest = hashlib.sha256("\0".join((str(seed), *words)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def numpy_dtype(dtype: DType) -> np.dtype[Any]:
    """Return the numpy type of `dtype`; bf16 is the one of ml_dtypes."""
    return np.dtype(ml_dtypes.bfloat16) if dtype is DType.BF16 else np.dtype(dtype.numpy)


def drawn(name: str, given: Input, shape: Shape, rng: np.random.Generator) -> Array:
    """Draw an array: uniform in the declared range, both ends included; standard normal floats without one.

    Raises:
        SpecError: an integer without a range.
    """
    if given.dtype is DType.STRING:
        return _words(shape, rng)
    if given.dtype is DType.BOOL:
        return rng.integers(0, 2, size=shape).astype(bool)
    if given.dtype.is_integer:
        low, high = whole_limits(name, given)
        return rng.integers(low, high, size=shape, dtype=numpy_dtype(given.dtype), endpoint=True)
    if given.range is None:
        return rng.standard_normal(size=shape).astype(numpy_dtype(given.dtype))
    bottom, top = float_limits(given)
    share = rng.random(size=shape)
    wide = float(bottom) * (1.0 - share) + float(top) * share  # high - low may overflow
    near = wide.astype(numpy_dtype(given.dtype))  # may be rounded out of the range
    return np.where(near < bottom, bottom, np.where(near > top, top, near)).astype(near.dtype)


def lowest(name: str, given: Input, shape: Shape) -> Array:
    """Return an array of the smallest value: of the range, or four sigma below zero; empty strings."""
    return _filled(given, shape, _limits(name, given)[0])


def highest(name: str, given: Input, shape: Shape) -> Array:
    """Return an array of the largest value: of the range, or four sigma above zero; long strings."""
    return _filled(given, shape, _limits(name, given)[1])


def zeros(name: str, given: Input, shape: Shape) -> Array | None:
    """Return an array of zeros, or None where the range leaves zero out or the type has none."""
    if given.dtype is DType.STRING:
        return None
    low, high = _limits(name, given)
    return _filled(given, shape, 0) if low <= 0 <= high else None


def whole_limits(name: str, given: Input) -> tuple[int, int]:
    """Return the smallest and largest value of an integer input.

    Raises:
        SpecError: it has no range, and random integers would be a guess.
    """
    if given.range is None:
        raise SpecError(
            f"input {name}: nobody says which values of {given.dtype.value} the model takes",
            fix=f"give `range: [smallest, largest]` to the input {name}",
        )
    least, most = map(int, given.dtype.limits)
    low, high = (min(max(int(end), least), most) for end in given.range)
    return low, high


def float_limits(given: Input) -> tuple[Any, Any]:
    """Return the smallest and largest value of a float input, as its own dtype has them within the range."""
    dtype = numpy_dtype(given.dtype)
    low, high = given.range or (-_FOUR_SIGMA, _FOUR_SIGMA)
    least, most = given.dtype.limits
    bottom, top = (dtype.type(min(max(end, least), most)) for end in (low, high))
    if float(bottom) < low:
        bottom = np.nextafter(bottom, dtype.type(np.inf))
    if float(top) > high:
        top = np.nextafter(top, dtype.type(-np.inf))
    return (bottom, top) if bottom <= top else (bottom, bottom)


def _limits(name: str, given: Input) -> tuple[Any, Any]:
    if given.dtype is DType.STRING:
        return b"", b"z" * 64
    if given.dtype is DType.BOOL:
        return False, True
    return whole_limits(name, given) if given.dtype.is_integer else float_limits(given)


def _filled(given: Input, shape: Shape, value: Any) -> Array:
    return np.full(shape, value, dtype=numpy_dtype(given.dtype))


def _words(shape: Shape, rng: np.random.Generator) -> Array:
    words = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        letters = rng.choice(_LETTERS, size=rng.integers(1, _LONGEST_WORD, endpoint=True))
        words[place] = "".join(letters).encode()
    return words
