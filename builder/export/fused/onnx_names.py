"""New names for all values and nodes of an ONNX graph, and of the graphs inside it."""

from collections.abc import Iterable, Iterator, Mapping

import onnx


def rename(nodes: Iterable[onnx.NodeProto], names: Mapping[str, str], prefix: str) -> None:
    """Give each value that `nodes` read and give its name in `names`; else, and for nodes, `prefix` goes before it."""
    for node in nodes:
        node.name = _renamed(node.name, {}, prefix)
        node.input[:] = [_renamed(name, names, prefix) for name in node.input]
        node.output[:] = [_renamed(name, names, prefix) for name in node.output]
        for graph in subgraphs(node):
            _rename_inside(graph, names, prefix)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs that `node` holds: the branches of an If, the body of a Loop."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def read_by(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the values that `node` reads, those that only a graph inside it reads included."""
    yield from node.input
    for graph in subgraphs(node):
        for inner in graph.node:
            yield from read_by(inner)


def _rename_inside(graph: onnx.GraphProto, outer: Mapping[str, str], prefix: str) -> None:
    """Rename what `graph` defines, also where a value outside has the same name; the rest is read from outside."""
    entries = (*graph.input, *graph.initializer, *(sparse.values for sparse in graph.sparse_initializer))
    own = [*(entry.name for entry in entries), *(name for node in graph.node for name in node.output)]
    names = {**outer, **{name: prefix + name for name in own}}
    for entry in (*entries, *graph.output):
        entry.name = _renamed(entry.name, names, prefix)
    for entry in (*graph.input, *graph.output):
        _forget_axis_names(entry.type)
    del graph.value_info[:]
    rename(graph.node, names, prefix)


def _forget_axis_names(kind: onnx.TypeProto) -> None:
    """Leave the axes open that have names: in the merged graph another model's axis may be called the same."""
    for dim in kind.tensor_type.shape.dim:
        if dim.HasField("dim_param"):
            dim.Clear()


def _renamed(name: str, names: Mapping[str, str], prefix: str) -> str:
    return names.get(name, prefix + name) if name else ""  # an empty name is an optional value left out
