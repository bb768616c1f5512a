"""Run an ONNX file in ONNX Runtime."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import ml_dtypes
import numpy as np
import onnxruntime as ort

from builder.errors import ExportError
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed, Runner

_ERRORS_ONLY: Final = 3


def open_session(path: Path, *, threads: int, optimised: bool = True) -> ort.InferenceSession:
    """Open `path` on the CPU with `threads` intra-op threads.

    Raises:
        ExportError: ONNX Runtime refuses the file.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no class below Exception
        raise ExportError(f"ONNX Runtime {ort.__version__} refuses {path.name}: {error}") from error


def open_onnx(path: Path, *, threads: int, optimised: bool = True) -> Runner:
    """Open the ONNX file at `path` on the CPU, with graph optimisations unless told otherwise.

    The runner takes and gives strings as object arrays of bytes, bf16 as `ml_dtypes.bfloat16`.

    Raises:
        ExportError: ONNX Runtime refuses the file.
    """
    session = open_session(path, threads=threads, optimised=optimised)
    types = {node.name: node.type for node in (*session.get_inputs(), *session.get_outputs())}
    inputs = tuple(node.name for node in session.get_inputs())
    outputs = tuple(node.name for node in session.get_outputs())
    call = _run_bf16 if "tensor(bfloat16)" in types.values() else _run

    def run(feed: Feed) -> dict[str, Any]:
        given = {name: _as_ort(np.asarray(feed[name]), types[name]) for name in inputs}
        return dict(zip(outputs, call(session, outputs, given), strict=True))

    return run


def _run(session: ort.InferenceSession, outputs: Sequence[str], feed: Feed) -> list[Any]:
    return [_as_bytes(array) for array in session.run(outputs, dict(feed))]


def _run_bf16(session: ort.InferenceSession, outputs: Sequence[str], feed: Feed) -> list[Any]:
    """Run a session that has bf16 inputs or outputs, which numpy, and so `session.run`, does not know."""
    values = {name: _as_ort_value(array) for name, array in feed.items()}
    return [_from_ort_value(value) for value in session.run_with_ort_values(outputs, values)]


def _as_ort(array: Any, ort_type: str) -> Any:
    if ort_type == "tensor(bfloat16)":
        return array.astype(ml_dtypes.bfloat16)
    if ort_type != "tensor(string)":
        return array
    texts = [item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel()]
    return np.array(texts, dtype=object).reshape(array.shape)


def _as_bytes(array: Any) -> Any:
    if array.dtype != object:
        return array
    return np.array([str(item).encode() for item in array.ravel()], dtype=object).reshape(array.shape)


def _as_ort_value(array: Any) -> Any:
    if array.dtype == ml_dtypes.bfloat16:
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array.view(np.uint16), DType.BF16.onnx)
    return ort.OrtValue.ortvalue_from_numpy(array)


def _from_ort_value(value: Any) -> Any:
    if value.element_type() != DType.BF16.onnx:
        return _as_bytes(value.numpy())
    shape = tuple(value.shape())
    count = int(np.prod(shape))
    words = (ctypes.c_uint16 * count).from_address(value.data_ptr()) if count else ()
    return np.array(words, dtype=np.uint16).view(ml_dtypes.bfloat16).reshape(shape)
