"""An .onnx file; ONNX Runtime without optimisation is its reference."""

import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import onnx
import torch

from builder.errors import ExportError, SourceError
from builder.loading.declared import in_order, require_declared
from builder.loading.opened import Opened, inputs_of, source_file
from builder.runtimes import open_onnx, open_session
from builder.spec.dtypes import DType
from builder.spec.hashing import file_sha256
from builder.spec.loaded import Feed
from builder.spec.project import Model


def open_onnx_file(model: Model, folder: Path, _samples: Feed | None = None) -> Opened:
    """Open the file in ONNX Runtime and compare its inputs with those of trb.yaml; it needs no run, and no samples.

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
    data = _external_data(path)
    return Opened(
        kind="onnx",
        inputs=inputs,
        dtypes=outputs,
        path=path,
        further_files=data,
        reference=runner,
        reference_name="ONNX Runtime, optimisation off",
        weights_sha256=_weights_sha256(path, data),
    )


def _dtype(node: Any, file: str) -> DType:
    """Return the element type of an input or output as ONNX Runtime tells it.

    Raises:
        SourceError: Triton has no such type.
    """
    try:
        return DType.from_onnxruntime(node.type)
    except KeyError:
        raise SourceError(
            f"source: `{node.name}` of {file} is {node.type}; Triton does not carry it"
        ) from None


def _external_data(path: Path) -> tuple[Path, ...]:
    """Return the files beside an .onnx that hold its large tensors; ONNX Runtime opens them unseen."""
    proto = onnx.load(path, load_external_data=False)
    nodes = chain(proto.graph.node, *(function.node for function in proto.functions))
    tensors = chain(proto.graph.initializer, *map(_held, nodes))
    places = {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}
    return tuple(path.parent / place for place in sorted(places))


def _held(node: onnx.NodeProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors in the attributes of a node, those of its branches and loops included."""
    for attribute in node.attribute:
        yield from (attribute.t, *attribute.tensors)
        for graph in (attribute.g, *attribute.graphs):
            yield from chain(graph.initializer, *map(_held, graph.node))


def _weights_sha256(path: Path, data: tuple[Path, ...]) -> str:
    """Return the hash of the file; of a listing of the hashes where it has external data, by name."""
    if not data:
        return file_sha256(path)
    listing = "".join(f"{file.name} {file_sha256(file)}\n" for file in (path, *data))
    return hashlib.sha256(listing.encode()).hexdigest()
