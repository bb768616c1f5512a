"""The user's real inputs, checked against what trb.yaml says of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from builder.errors import SourceError
from builder.loading.callables import call, resolve
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model, axis_range


def load_samples(model: Model, folder: Path) -> Feed | None:
    """Return the samples of `model`, first axis = samples; None when it has none.

    Raises:
        SourceError: they cannot be read, or are not what trb.yaml says: names, dtypes, shapes, ranges.
    """
    if model.samples is None:
        return None
    found = _read(model.samples, folder)
    if set(found) != set(model.inputs):
        raise SourceError(f"samples: has {', '.join(found)}; the inputs are {', '.join(model.inputs)}")
    feed = {
        name: _checked(name, tensor, np.asarray(found[name]), model) for name, tensor in model.inputs.items()
    }
    _require_one_size(feed, model)
    return feed


def _read(samples: str, folder: Path) -> Mapping[str, Any]:
    if ":" in samples:
        found = call(resolve(samples, folder, key="samples"), samples, key="samples")
        if not isinstance(found, Mapping):
            raise SourceError(f"samples: {samples} returned {type(found).__name__}, not {{input: array}}")
        return {str(name): _array(value) for name, value in found.items()}
    try:
        with np.load(folder / samples, allow_pickle=False) as archive:
            return dict(archive)
    except FileNotFoundError:
        raise SourceError(f"samples: there is no file {folder / samples}") from None
    except (OSError, ValueError) as error:
        raise SourceError(
            f"samples: {samples} cannot be read: {error}", fix="write it with numpy.savez"
        ) from error


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _checked(name: str, tensor: Input, array: Any, model: Model) -> Any:
    if tensor.dtype is DType.STRING:
        texts = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel()]
        array = np.array(texts, dtype=object).reshape(array.shape)
    elif array.dtype != np.dtype(tensor.dtype.numpy):
        raise SourceError(f"samples: `{name}` is {array.dtype}, trb.yaml says {tensor.dtype.value}")
    if array.ndim != len(tensor.shape):
        raise SourceError(f"samples: `{name}` has shape {array.shape}, trb.yaml says [{_spelt(tensor)}]")
    for place, (dim, size) in enumerate(zip(tensor.shape, array.shape, strict=True)):
        _require_size(name, place, dim, size, model)
    _require_range(name, tensor, array)
    return array


def _require_size(name: str, place: int, dim: int | str, size: int, model: Model) -> None:
    if dim == model.batching.axis:
        if size < 1:
            raise SourceError(f"samples: `{name}` is empty")
    elif isinstance(dim, int) and size != dim:
        raise SourceError(f"samples: axis {place} of `{name}` is {size}, trb.yaml says {dim}")
    elif isinstance(dim, str) and not axis_range(model, dim).min <= size <= axis_range(model, dim).max:
        limits = axis_range(model, dim)
        raise SourceError(
            f"samples: axis `{dim}` of `{name}` is {size}, outside {limits.min} to {limits.max}"
        )


def _require_range(name: str, tensor: Input, array: Any) -> None:
    if tensor.range is None or not array.size:
        return
    low, high = tensor.range
    for worst, outside in ((array.min(), array.min() < low), (array.max(), array.max() > high)):
        if outside:
            raise SourceError(
                f"samples: `{name}` holds {worst}, outside its range [{low:g}, {high:g}]",
                fix="widen the range in trb.yaml, or correct the samples",
            )


def _require_one_size(feed: Feed, model: Model) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for name, tensor in model.inputs.items():
        for dim, size in zip(tensor.shape, feed[name].shape, strict=True):
            if isinstance(dim, str) and seen.setdefault(dim, (name, size))[1] != size:
                other, known = seen[dim]
                raise SourceError(f"samples: axis `{dim}` is {known} in `{other}` and {size} in `{name}`")


def _spelt(tensor: Input) -> str:
    return ", ".join(map(str, tensor.shape))
