"""The file of `--input-data`: an .npz, or perf_analyzer's JSON."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from builder.errors import UsageError
from builder.feeds import all_batched
from builder.feeds.npz import read_npz
from builder.feeds.values import numpy_dtype
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Input, Model
from builder.spec.tensors import Dim

_LENGTH_BYTES = 4


def read_input_file(path: Path, model: Model) -> tuple[Feed, ...]:
    """Return the feeds of `path`, each input in its full shape and dtype.

    An .npz has one array per input, its first axis the rows. perf_analyzer's JSON has one step per row (per
    request where the model has no batch axis), with values or base64, and a shape where the spec's is not
    fixed.

    Raises:
        UsageError: it cannot be read, or does not fit the model; names the step and the input.
    """
    return (_arrays(path, model),) if path.suffix == ".npz" else tuple(_steps(path, model))


def _arrays(path: Path, model: Model) -> Feed:
    try:
        found = read_npz(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as .npz: {error}", fix="write it with numpy.savez"
        ) from error
    _require_names(model, found, str(path))
    feed = {name: _cast(found[name], tensor, f"{path}, {name}") for name, tensor in model.inputs.items()}
    for name, tensor in model.inputs.items():
        _require_shape(feed[name].shape, tensor.shape, f"{path}, {name}")
    if all_batched(model) and len({len(array) for array in feed.values()}) > 1:
        counts = ", ".join(f"{name} {len(array)}" for name, array in feed.items())
        raise UsageError(
            f"{path} has different numbers of rows: {counts}", fix="give every input the same number"
        )
    return feed


def _steps(path: Path, model: Model) -> Iterator[Feed]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as JSON: {error}", fix="give an .npz or perf_analyzer's JSON"
        ) from error
    steps = list(_flat_steps(document.get("data") if isinstance(document, dict) else None))
    if not steps or not all(isinstance(step, dict) for step in steps):
        raise UsageError(f"{path} has no steps", fix='write {"data": [{"INPUT": [1, 2]}, ...]}')
    for number, step in enumerate(steps):
        where = f"{path}, data[{number}]"
        _require_names(model, step, where)
        yield {
            name: _row(model, tensor, step[name], f"{where}.{name}") for name, tensor in model.inputs.items()
        }


def _flat_steps(data: Any) -> Iterator[Any]:
    """Yield the steps of all streams: perf_analyzer takes a list of them, or a list of lists."""
    for one in data if isinstance(data, list) else ():
        yield from one if isinstance(one, list) else (one,)


def _row(model: Model, tensor: Input, given: Any, where: str) -> Any:
    batched = all_batched(model)
    dims = tensor.shape[1:] if batched else tensor.shape
    values = _values(tensor.dtype, given, where)
    shape = _shape(given, dims, where)
    if not dims and shape == (1,):  # what the server takes for an input of the batch axis alone
        shape = ()
    if prod(shape) != values.size:
        raise UsageError(f"{where} has {values.size} values, its shape {list(shape)} takes {prod(shape)}")
    _require_shape(shape, dims, where)
    array = _cast(values.reshape(shape), tensor, where)
    return array[None] if batched else array


def _shape(given: Any, dims: tuple[Dim, ...], where: str) -> tuple[int, ...]:
    shape = given.get("shape") if isinstance(given, dict) else None
    if shape is None:
        fixed = tuple(dim for dim in dims if isinstance(dim, int))
        if len(fixed) == len(dims):
            return fixed
        raise UsageError(
            f"{where} has no shape, and [{', '.join(map(str, dims))}] is not fixed",
            fix='write {"content": .., "shape": ..}',
        )
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise UsageError(f"{where}.shape is {shape!r:.60}", fix='write a list of sizes, such as "shape": [3]')
    return tuple(shape)


def _values(dtype: DType, given: Any, where: str) -> Any:
    content = given.get("content") if isinstance(given, dict) else given
    if isinstance(given, dict) and "b64" in given:
        try:
            return _decoded(dtype, base64.b64decode(given["b64"], validate=True))
        except (TypeError, ValueError, binascii.Error) as error:
            raise UsageError(f"{where}.b64 is not base64 of {dtype.value}: {error}") from error
    if not isinstance(content, list):
        raise UsageError(f"{where} has no values", fix='write a list, {"content": [..]} or {"b64": ".."}')
    if dtype is DType.STRING:
        return np.array([str(text).encode() for text in _flat(content)], dtype=object)
    return np.asarray(list(_flat(content)))


def _flat(content: list[Any]) -> Iterator[Any]:
    for one in content:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


def _decoded(dtype: DType, raw: bytes) -> Any:
    if dtype is not DType.STRING:
        return np.frombuffer(raw, np.dtype(dtype.numpy).newbyteorder("<"))
    texts, at = [], 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + _LENGTH_BYTES], "little")
        at += _LENGTH_BYTES + size
        if at > len(raw):
            raise ValueError("a string is longer than the data")
        texts.append(raw[at - size : at])
    return np.array(texts, dtype=object)


def _cast(array: Any, tensor: Input, where: str) -> Any:
    dtype = tensor.dtype
    if dtype is DType.STRING and array.dtype.kind in "SUO":
        texts = [one.encode() if isinstance(one, str) else bytes(one) for one in array.reshape(-1).tolist()]
        return np.array([*texts, None], dtype=object)[:-1].reshape(array.shape)
    fits = array.dtype.kind in "biuf" and dtype is not DType.STRING
    with np.errstate(invalid="ignore", over="ignore"):  # told below, as what the type does not hold
        cast = array.astype(numpy_dtype(dtype)) if fits else array
    if not fits or not (dtype.is_float or np.array_equal(cast, array)):
        raise UsageError(f"{where} is {array.dtype} with values that {dtype.value} does not hold")
    return cast


def _require_names(model: Model, found: Mapping[str, Any], where: str) -> None:
    if missing := [name for name in model.inputs if name not in found]:
        raise UsageError(
            f"{where} has no {', '.join(missing)}", fix=f"the inputs are: {', '.join(model.inputs)}"
        )
    if unknown := [name for name in found if name not in model.inputs]:
        raise UsageError(
            f"{where}: the model has no input {', '.join(unknown)}",
            fix=f"the inputs are: {', '.join(model.inputs)}",
        )


def _require_shape(shape: tuple[int, ...], dims: tuple[Dim, ...], where: str) -> None:
    if len(shape) != len(dims) or any(
        isinstance(dim, int) and dim != size for dim, size in zip(dims, shape, strict=True)
    ):
        raise UsageError(f"{where} has the shape {list(shape)}, trb.yaml says [{', '.join(map(str, dims))}]")
