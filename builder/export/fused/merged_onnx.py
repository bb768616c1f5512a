"""Write the graphs of a group as one ONNX file."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import onnx
import onnx.inliner
from onnx.external_data_helper import load_external_data_for_model

from builder.blame import first_line
from builder.export import onnx_files
from builder.export.fused.border import border
from builder.export.fused.grouping import Group
from builder.export.fused.onnx_names import read_by, rename
from builder.export.fused.onnx_opsets import levelled
from builder.export.fused.refused import APART, not_merged
from builder.export.onnx_graph import opset_of, strip
from builder.export.onnx_source import require_opset
from builder.runtimes import open_session
from builder.spec.artifact import Artifact
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend
from builder.spec.releases import Release
from builder.spec.tensors import Signature, Tensor


def merge(
    group: Group,
    wired: Wired,
    files: Mapping[str, Path],
    into: Path,
    release: Release,
    *,
    external_above_bytes: int = onnx_files.EXTERNAL_ABOVE_BYTES,
) -> Artifact:
    """Write `into/model.onnx`; it has passed the ONNX checker and ONNX Runtime.

    A model that stands in the group twice lends its weights to both steps. Weights above `external_above_bytes` go to
    `model.onnx.data` beside the file.

    Raises:
        ExportError: the files cannot be one; the steps are named.
    """
    protos, notes = _opened(group, wired, files)
    signature = border(group, wired)
    proto = _as_one(group, wired, protos, signature)
    require_opset(opset_of(proto), release, wired.name)
    proto.ir_version = min(proto.ir_version, release.max_ir)
    path = into / Backend.ONNX.filename
    onnx_files.write(proto, path, external_above_bytes=external_above_bytes)
    return Artifact(
        backend=Backend.ONNX,
        folder=into,
        exporter="merged",
        opset=opset_of(proto),
        ir_version=proto.ir_version,
        signature=_as_onnxruntime_sees_it(path, signature, group, wired),
        notes=notes,
    )


def _opened(
    group: Group, wired: Wired, files: Mapping[str, Path]
) -> tuple[Mapping[str, onnx.ModelProto], tuple[str, ...]]:
    """Return the graph of each model, weights included, all at one opset; functions of their own are written out."""
    read = {step.model: onnx.load(files[step.model], load_external_data=False) for step in group}
    inlined = {model: _without_functions(proto) for model, proto in read.items()}
    protos, notes = levelled(inlined, group, wired)
    for model, proto in protos.items():
        strip(proto)
        load_external_data_for_model(proto, str(files[model].parent))
    for step in group:
        _require_tensors(step, protos[step.model].graph, group, wired)
    return protos, notes


def _without_functions(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Write each call of a function of the file out: another file may have a function of that name."""
    return onnx.inliner.inline_local_functions(proto, convert_version=True) if proto.functions else proto


def _require_tensors(step: WiredStep, graph: onnx.GraphProto, group: Group, wired: Wired) -> None:
    if wrong := next(_wrong(step, graph), ""):
        raise not_merged(
            group,
            wired,
            f"the file of {step.name} has {wrong}",
            fix=f"build {step.model} anew, or {APART}",
        )


def _wrong(step: WiredStep, graph: onnx.GraphProto) -> Iterator[str]:
    """Yield what of the file is not as the step has it."""
    initial = _initial(graph)
    for kind, entries, tensors, used in (
        ("input", graph.input, step.signature.inputs, step.inputs),
        ("output", graph.output, step.signature.outputs, step.outputs),
    ):
        there = {entry.name: entry.type.tensor_type for entry in entries}
        yield from (f"no {kind} {name}" for name in used if name not in there)
        for tensor in tensors:
            found = there.get(tensor.name)
            if found is not None and found.HasField("shape") and len(found.shape.dim) != len(tensor.shape):
                yield f"{kind} {tensor.name} with {len(found.shape.dim)} axes, not as {tensor}"
    for entry in graph.input:
        if entry.name not in step.inputs and entry.name not in initial:
            yield f"an input {entry.name} that nothing is given to"


def _as_one(
    group: Group, wired: Wired, protos: Mapping[str, onnx.ModelProto], signature: Signature
) -> onnx.ModelProto:
    graph = onnx.GraphProto(name=wired.name)
    weights: dict[str, str] = {}
    for step in group:
        _add(
            step, protos[step.model].graph, graph, weights.setdefault(step.model, _prefix(step, wired)), wired
        )
    graph.input.extend(_described(tensor) for tensor in signature.inputs)
    graph.output.extend(_described(tensor) for tensor in signature.outputs)
    _drop_unread(graph)
    opsets = {entry.domain: int(entry.version) for proto in protos.values() for entry in proto.opset_import}
    used = [onnx.helper.make_opsetid(domain, version) for domain, version in sorted(opsets.items())]
    # Below IR 4 each weight would have to be an input as well.
    ir_version = max(4, *(proto.ir_version for proto in protos.values()))
    return onnx.helper.make_model(graph, opset_imports=used, ir_version=ir_version, producer_name="trb")


def _add(step: WiredStep, own: onnx.GraphProto, graph: onnx.GraphProto, weights: str, wired: Wired) -> None:
    """Add the graph of `step` to `graph`; the names of its weights begin with `weights`."""
    prefix, made = _prefix(step, wired), {name for node in own.node for name in node.output}
    initial = {name: weights + name for name in _initial(own) if name not in step.inputs}
    names = {
        **{name: prefix + name for name in made},
        **initial,
        **{name: outer for name, outer in step.outputs.items() if name in made},
        **step.inputs,
    }
    first = len(graph.node)
    graph.node.extend(own.node)
    rename(graph.node[first:], names, prefix)
    graph.node.extend(
        onnx.helper.make_node("Identity", [names[name]], [outer], name=f"{prefix}{outer}")
        for name, outer in step.outputs.items()
        if name not in made
    )
    _add_weights(own, graph, initial)


def _initial(graph: onnx.GraphProto) -> tuple[str, ...]:
    sparse = (one.values.name for one in graph.sparse_initializer)
    return (*(tensor.name for tensor in graph.initializer), *sparse)


def _add_weights(own: onnx.GraphProto, graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Add the weights that have a name in `names`, unless an earlier step of the same model has brought them."""
    there = set(_initial(graph))
    for tensor in own.initializer:
        if tensor.name in names and names[tensor.name] not in there:
            graph.initializer.append(tensor)
            graph.initializer[-1].name = names[tensor.name]
    for sparse in own.sparse_initializer:
        if sparse.values.name in names and names[sparse.values.name] not in there:
            graph.sparse_initializer.append(sparse)
            graph.sparse_initializer[-1].values.name = names[sparse.values.name]


def _prefix(step: WiredStep, wired: Wired) -> str:
    """Return what the names of `step` begin with: no tensor of the pipeline and no other step begins so."""
    prefix = f"{step.name}/"
    while any(name.startswith(prefix) for name in wired.tensors):
        prefix = f"/{prefix}"
    return prefix


def _described(tensor: Tensor) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(tensor.name, tensor.dtype.onnx, tensor.shape)


def _drop_unread(graph: onnx.GraphProto) -> None:
    """Remove what is computed for outputs that nothing reads."""
    read = {entry.name for entry in graph.output}
    kept = []
    for node in reversed(graph.node):
        if not read.isdisjoint(node.output):
            kept.append(node)
            read.update(read_by(node))
    if len(kept) == len(graph.node):
        return
    nodes = [onnx.NodeProto.FromString(node.SerializeToString(deterministic=True)) for node in reversed(kept)]
    del graph.node[:]
    graph.node.extend(nodes)
    for place in reversed(range(len(graph.initializer))):
        if graph.initializer[place].name not in read:
            del graph.initializer[place]


def _as_onnxruntime_sees_it(path: Path, signature: Signature, group: Group, wired: Wired) -> Signature:
    """Return `signature` with the sizes that ONNX Runtime finds out, which Triton compares to the config."""
    try:
        onnx.checker.check_model(str(path))
        session = open_session(path, threads=1, optimised=False)
    except Exception as error:  # onnx and ONNX Runtime share no exception class below Exception
        onnx_files.remove(path)
        raise not_merged(group, wired, f"the merged file is refused: {first_line(error)}") from error
    shapes = {node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())}

    def seen(tensor: Tensor) -> Tensor:
        pairs = zip(shapes[tensor.name], tensor.shape, strict=True)
        shape = tuple(there if isinstance(there, int) else here for there, here in pairs)
        return Tensor(name=tensor.name, dtype=tensor.dtype, shape=shape)

    return Signature(
        inputs=tuple(seen(tensor) for tensor in signature.inputs),
        outputs=tuple(seen(tensor) for tensor in signature.outputs),
    )
