"""Bring the files of a group to one version of each operator set."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import onnx
from onnx import version_converter

from builder.errors import ExportError
from builder.export.fused.grouping import Group
from builder.export.fused.onnx_names import subgraphs
from builder.export.fused.refused import APART, not_merged
from builder.spec.pipeline import Wired
from builder.spec.tensors import unique

_DEFAULT: Final = ("", "ai.onnx")
_MISCONVERTED: Final = {"Scan": 9, "Upsample": 10, "Resize": 11, "Hardmax": 13, "GroupNormalization": 21}
"""The opset at which an operator changed its meaning, where onnx's converter makes a graph that answers otherwise."""


def levelled(
    protos: Mapping[str, onnx.ModelProto], group: Group, wired: Wired
) -> tuple[Mapping[str, onnx.ModelProto], tuple[str, ...]]:
    """Return `protos` with each operator set at the highest version that one of them has, and what was done for it.

    Raises:
        ExportError: an operator of a lower file has changed since, and cannot be converted.
    """
    notes: list[str] = []
    done = {model: _with_default_once(proto) for model, proto in protos.items()}
    for domain in unique(entry.domain for proto in done.values() for entry in proto.opset_import):
        found = {model: _version(proto, domain) for model, proto in done.items()}
        highest = max(found, key=lambda model: found[model])
        for model, version in found.items():
            if 0 < version < found[highest]:
                done[model], note = _raised(done, model, highest, domain, group, wired)
                notes.append(f"{model}: {note}")
    return done, tuple(notes)


def _raised(
    protos: Mapping[str, onnx.ModelProto], model: str, highest: str, domain: str, group: Group, wired: Wired
) -> tuple[onnx.ModelProto, str]:
    proto, low, high = protos[model], _version(protos[model], domain), _version(protos[highest], domain)
    changed = unique(_changed(proto.graph.node, domain, low, high))
    what = f"opset {low}" if not domain else f"version {low} of {domain}"
    if not changed:
        return _marked(proto, domain, high), f"{what} read as {high}: its operators are the same in both"
    wrong = tuple(name for name in changed if low < _MISCONVERTED.get(name, 0) <= high)
    if domain or wrong:
        raise _refusal(group, wired, (model, highest), what, high, wrong or changed)
    try:
        return version_converter.convert_version(proto, high), f"{what} converted to {high}"
    except (RuntimeError, version_converter.ConvertError) as error:
        raise _refusal(group, wired, (model, highest), what, high, changed) from error


def _refusal(
    group: Group, wired: Wired, models: tuple[str, str], what: str, high: int, changed: tuple[str, ...]
) -> ExportError:
    low_step, high_step = (next(step.name for step in group if step.model == model) for model in models)
    return not_merged(
        group,
        wired,
        f"{low_step} is written in {what}, {high_step} in {high}, and onnx cannot convert {', '.join(changed)} "
        f"of {low_step}",
        fix=f"export both alike: `onnx: {{opset: {high}}}` at {models[0]} in trb.yaml; or {APART}",
    )


def _changed(nodes: Iterable[onnx.NodeProto], domain: str, low: int, high: int) -> Iterator[str]:
    """Yield the operators of `domain` that mean something else in version `high`, or may."""
    for node in nodes:
        if node.domain == domain and _since(node, domain, low) != _since(node, domain, high):
            yield node.op_type
        for graph in subgraphs(node):
            yield from _changed(graph.node, domain, low, high)


def _since(node: onnx.NodeProto, domain: str, version: int) -> int:
    """Return the version that brought the operator as it is in `version`; that itself where onnx does not know it."""
    try:
        return int(onnx.defs.get_schema(node.op_type, version, domain).since_version)
    except onnx.defs.SchemaError:
        return version


def _with_default_once(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Call the default operator set by the shorter of its two names."""
    found = _version(proto, "")
    others = [entry for entry in proto.opset_import if entry.domain not in _DEFAULT]
    _shorten_domains(proto.graph.node)
    return _importing(proto, [onnx.helper.make_opsetid("", found), *others] if found else others)


def _shorten_domains(nodes: Iterable[onnx.NodeProto]) -> None:
    for node in nodes:
        node.domain = _normal(node.domain)
        for graph in subgraphs(node):
            _shorten_domains(graph.node)


def _marked(proto: onnx.ModelProto, domain: str, version: int) -> onnx.ModelProto:
    others = [entry for entry in proto.opset_import if entry.domain != domain]
    return _importing(proto, [*others, onnx.helper.make_opsetid(domain, version)])


def _importing(proto: onnx.ModelProto, opsets: Iterable[onnx.OperatorSetIdProto]) -> onnx.ModelProto:
    kept = list(opsets)
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    return proto


def _version(proto: onnx.ModelProto, domain: str) -> int:
    """Return the version of `domain`; 0: it is not imported."""
    return max((int(e.version) for e in proto.opset_import if _normal(e.domain) == domain), default=0)


def _normal(domain: str) -> str:
    return "" if domain in _DEFAULT else domain
