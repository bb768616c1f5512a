"""An .onnx file; ONNX Runtime without optimisation is its reference."""

from pathlib import Path
from typing import Any, Final

import torch

from builder.errors import ExportError, SourceError
from builder.loading.declared import in_order, require_declared
from builder.loading.fingerprint import file_sha256
from builder.loading.opened import Opened, inputs_of, source_file
from builder.runtimes import open_onnx, open_session
from builder.spec.dtypes import DType
from builder.spec.project import Model

_NAMES: Final = {"float": DType.FP32, "double": DType.FP64, "float16": DType.FP16, "bfloat16": DType.BF16}


def open_onnx_file(model: Model, folder: Path) -> Opened:
    """Open the file in ONNX Runtime and compare its inputs with those of trb.yaml.

    Raises:
        SourceError: ONNX Runtime refuses it, or it takes other inputs.
    """
    path = source_file(model, folder)
    threads = torch.get_num_threads()
    try:
        session = open_session(path, threads=threads, optimised=False)
        runner = open_onnx(path, threads=threads, optimised=False)
    except ExportError as error:  # the same refusal, but of a source
        raise SourceError(f"source: {error.what}", fix="correct the file, or name another") from error
    inputs = in_order(inputs_of(model), [node.name for node in session.get_inputs()], path.name)
    for tensor, node in zip(inputs, session.get_inputs(), strict=True):
        require_declared(tensor, _dtype(node, path.name), node.shape, path.name)
    outputs = {node.name: _dtype(node, path.name) for node in session.get_outputs()}
    if model.output_names and model.output_names != tuple(outputs):
        raise SourceError(
            f"output_names: the outputs of {path.name} keep their names: {', '.join(outputs)}",
            fix="leave `output_names` out",
        )
    return Opened(
        kind="onnx",
        inputs=inputs,
        dtypes=outputs,
        path=path,
        reference=runner,
        reference_name="ONNX Runtime, optimisation off",
        weights_sha256=file_sha256(path),
    )


def _dtype(node: Any, file: str) -> DType:
    """Return the element type of ONNX Runtime's `tensor(float)`.

    Raises:
        SourceError: Triton has no such type.
    """
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    try:
        return _NAMES.get(kind) or DType(kind)
    except ValueError:
        raise SourceError(
            f"source: `{node.name}` of {file} is {node.type}; Triton does not carry it"
        ) from None
