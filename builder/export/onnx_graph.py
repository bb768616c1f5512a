"""What is done to an ONNX graph between the exporter and the file."""

from collections.abc import Iterator
from typing import Any, Final

import onnx
from onnx import version_converter

from builder.spec.releases import Release
from builder.spec.tensors import Signature, Tensor

_DESCRIBED: Final = ("doc_string", "metadata_props")


def opset_of(proto: onnx.ModelProto) -> int:
    """Return the version of the default operator set."""
    return max(
        (int(entry.version) for entry in proto.opset_import if entry.domain in {"", "ai.onnx"}), default=0
    )


def lowered(proto: onnx.ModelProto, *, opset: int, release: Release) -> onnx.ModelProto:
    """Return `proto` at an opset of at most `opset`, and an IR version that `release` loads.

    Raises:
        RuntimeError: an operator cannot be converted down.
    """
    if opset_of(proto) > opset:
        proto = version_converter.convert_version(proto, opset)
    proto.ir_version = min(proto.ir_version, release.max_ir)
    return proto


def strip(proto: onnx.ModelProto) -> None:
    """Remove what tells where the file was made: stack traces, source paths, documentation."""
    _clear(proto)
    for function in proto.functions:
        _clear(function)
        _strip_nodes(function.node)
        _clear_all(function.value_info)
    _strip_graph(proto.graph)
    # Shapes inside the graph carry the exporter's own names for axes; ONNX Runtime infers them anew.
    del proto.graph.value_info[:]


def _strip_graph(graph: onnx.GraphProto) -> None:
    _clear(graph)
    for entries in (graph.input, graph.output, graph.value_info, graph.initializer):
        _clear_all(entries)
    _strip_nodes(graph.node)


def _strip_nodes(nodes: Any) -> None:
    for node in nodes:
        _clear(node)
        for attribute in node.attribute:
            _clear(attribute)
            for subgraph in _subgraphs(attribute):
                _strip_graph(subgraph)


def _subgraphs(attribute: onnx.AttributeProto) -> Iterator[onnx.GraphProto]:
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs


def _clear_all(entries: Any) -> None:
    for entry in entries:
        _clear(entry)


def _clear(entry: Any) -> None:
    known = {field.name for field in entry.DESCRIPTOR.fields}
    for name in _DESCRIBED:
        if name in known:
            entry.ClearField(name)


def name_axes(proto: onnx.ModelProto, signature: Signature) -> None:
    """Call the dynamic axes of inputs and outputs by their spec names, and declare the outputs' known sizes.

    An axis that the exporter declared as a number stays a number: it is frozen, and must be seen.
    """
    for entries, tensors in ((proto.graph.input, signature.inputs), (proto.graph.output, signature.outputs)):
        by_name = {tensor.name: tensor for tensor in tensors}
        for entry in entries:
            if entry.name in by_name:
                _name_axes(entry, by_name[entry.name])


def _name_axes(entry: onnx.ValueInfoProto, tensor: Tensor) -> None:
    shape = entry.type.tensor_type.shape
    if len(shape.dim) != len(tensor.shape):
        del shape.dim[:]
        shape.dim.extend(onnx.TensorShapeProto.Dimension() for _ in tensor.shape)
    for dim, known in zip(shape.dim, tensor.shape, strict=True):
        if dim.HasField("dim_value"):
            continue
        if isinstance(known, str):
            dim.dim_param = known
        else:
            dim.dim_value = known
