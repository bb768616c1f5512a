"""The user's real inputs, checked against what trb.yaml says of them."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import numpy as np

from builder.errors import SourceError
from builder.feeds import different, sample_shape, sampled_inputs
from builder.feeds.npz import read_npz
from builder.feeds.values import numpy_dtype
from builder.loading.callables import call, resolve
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model, axis_range
from builder.spec.tensors import Dim

_FIX: Final = "correct the samples, or `inputs` in trb.yaml"


def load_samples(model: Model, folder: Path) -> Feed | None:
    """Return the samples of `model`, first axis = samples; None when it has none.

    After the first axis comes the declared shape without its batch axis. An input without a batch axis may also
    have its declared shape alone: that is one sample.

    Raises:
        SourceError: they cannot be read, or are not what trb.yaml says: names, dtypes, shapes, ranges.
    """
    if model.samples is None:
        return None
    found = _read(model.samples, folder)
    _require_names(found, model)
    feed = {name: _checked(name, given, found[name], model) for name, given in model.inputs.items()}
    _require_one_size(feed, model)
    _require_different(feed, model)
    return feed


def _read(samples: str, folder: Path) -> Mapping[str, Any]:
    if ":" in samples:
        found = call(resolve(samples, folder, key="samples"), samples, key="samples")
        if not isinstance(found, Mapping):
            kind = type(found).__name__
            raise SourceError(
                f"samples: {samples} returned {kind}, not {{input: array}}", fix="return a dict"
            )
        return {str(name): _array(value) for name, value in found.items()}
    try:
        return read_npz(folder / samples)
    except FileNotFoundError:
        fix = "write it first, or correct `samples` in trb.yaml"
        raise SourceError(f"samples: there is no file {folder / samples}", fix=fix) from None
    except (OSError, ValueError) as error:
        raise SourceError(
            f"samples: {samples} cannot be read: {error}", fix="write it with numpy.savez; strings as dtype S"
        ) from error


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _require_names(found: Mapping[str, Any], model: Model) -> None:
    for name in found:
        if name not in model.inputs:
            near = get_close_matches(name, model.inputs, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"the inputs are {', '.join(model.inputs)}"
            raise SourceError(f"samples: there is no input `{name}`", fix=hint)
    for name in model.inputs:
        if name not in found:
            raise SourceError(
                f"samples: `{name}` is missing; they have {', '.join(found) or 'nothing'}", fix=_FIX
            )


def _checked(name: str, given: Input, array: Any, model: Model) -> Any:
    array = _of_dtype(name, given, array)
    one = sample_shape(model, given)
    if array.ndim == len(one) and model.batching.axis not in given.shape:
        array = array[None]
    if array.ndim != len(one) + 1:
        want = ", ".join(map(str, ("samples", *one)))
        raise SourceError(f"samples: `{name}` has shape {array.shape}; it must be ({want})", fix=_FIX)
    if not array.size:
        raise SourceError(f"samples: `{name}` is empty", fix=_FIX)
    for place, (dim, size) in enumerate(zip(one, array.shape[1:], strict=True), start=1):
        _require_size(name, place, dim, size, model)
    _require_range(name, given, array, model)
    return array


def _of_dtype(name: str, given: Input, array: Any) -> Any:
    if given.dtype is DType.STRING:
        texts = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel()]
        return np.array(texts, dtype=object).reshape(array.shape)
    if array.dtype != numpy_dtype(given.dtype):
        want = numpy_dtype(given.dtype)
        raise SourceError(
            f"samples: `{name}` is {array.dtype}, trb.yaml says {given.dtype.value}",
            fix=f"convert it: `.astype({str(want)!r})`, or correct the dtype in trb.yaml",
        )
    return array


def _require_size(name: str, place: int, dim: Dim, size: int, model: Model) -> None:
    if isinstance(dim, int):
        if size != dim:
            raise SourceError(f"samples: axis {place} of `{name}` is {size}, trb.yaml says {dim}", fix=_FIX)
        return
    limits = axis_range(model, dim)
    if not limits.min <= size <= limits.max:
        raise SourceError(
            f"samples: axis `{dim}` of `{name}` is {size}, outside {limits.min} to {limits.max}",
            fix=f"change `dims: {{{dim}: ...}}` in trb.yaml, or correct the samples",
        )


def _require_range(name: str, given: Input, array: Any, model: Model) -> None:
    if given.range is None:
        return
    low, high = given.range
    wide = array if given.dtype.is_integer else array.astype(np.float64)
    outside = ~((wide >= low) & (wide <= high))  # NaN is in no range
    if model.parity.special_values and given.dtype.is_float:
        outside &= np.isfinite(wide)
    if outside.any():
        place = tuple(int(n) for n in np.argwhere(outside)[0])
        raise SourceError(
            f"samples: `{name}` holds {array[place]} at {list(place)}, outside its range [{low:g}, {high:g}]",
            fix="widen the range in trb.yaml, or correct the samples",
        )


def _require_one_size(feed: Feed, model: Model) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for name, given in model.inputs.items():
        for dim, size in zip(("samples", *sample_shape(model, given)), feed[name].shape, strict=True):
            if isinstance(dim, str) and seen.setdefault(dim, (name, size))[1] != size:
                other, known = seen[dim]
                what = f"there are {known} samples" if dim == "samples" else f"axis `{dim}` is {known}"
                raise SourceError(f"samples: {what} of `{other}` and {size} of `{name}`", fix=_FIX)


def _require_different(feed: Feed, model: Model) -> None:
    """Check that rows can be made to differ, without which nothing shows that they do not mix."""
    batch = model.batching.axis
    if model.batching.enabled is False or axis_range(model, batch).max == 1:
        return
    for name in sampled_inputs(model):
        if batch in model.inputs[name].shape and len(different(model, feed, [name])) == 1:
            raise SourceError(
                f"samples: all of `{name}` are alike, and its values come from them alone: nothing could show that "
                "the rows of a batch do not mix",
                fix="give at least two that differ, or say `batching: false`",
            )
