"""Write the modules of a group as one TorchScript file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from builder.blame import first_line
from builder.errors import ExportError
from builder.export import torch_zip
from builder.export.flat_torchscript import argument_names
from builder.export.frozen_torchscript import frozen
from builder.export.fused.border import border
from builder.export.fused.grouping import Group
from builder.export.fused.refused import not_merged
from builder.rules.pytorch import index_of, input_positions, output_positions
from builder.runtimes import open_module
from builder.spec.artifact import Artifact
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend
from builder.spec.releases import Release
from builder.spec.tensors import Signature


class Steps(nn.Module):
    """Holds the modules of a group; its `forward` is defined later, from source made for the wiring."""


def merge(group: Group, wired: Wired, files: Mapping[str, Path], into: Path, release: Release) -> Artifact:  # noqa: ARG001 - as the other merge
    """Write `into/model.pt`, whose `forward` takes and returns the tensors that cross the group's border.

    Raises:
        ExportError: the modules cannot be one, or the pytorch backend would take one tensor for another.
    """
    signature = border(group, wired)
    _require_plain_names(signature, wired)
    modules = {step.model: open_module(files[step.model]) for step in group}
    try:
        module, notes = frozen(_as_one(group, modules, signature))
    except (RuntimeError, LookupError) as error:
        raise not_merged(group, wired, first_line(error)) from error
    torch_zip.save(module, into / Backend.TORCHSCRIPT.filename)
    return Artifact(
        backend=Backend.TORCHSCRIPT, folder=into, exporter="merged", signature=signature, notes=notes
    )


def _require_plain_names(signature: Signature, wired: Wired) -> None:
    for tensor in (*signature.inputs, *signature.outputs):
        if index_of(tensor.name) is not None:
            raise ExportError(
                f"{wired.name}: the pytorch backend reads `{tensor.name}`, a tensor of the merged steps, as a position",
                fix="give it a name in the pipeline that does not end in `__<number>`: `map` at the step does that",
            )


def _as_one(group: Group, modules: Mapping[str, Any], signature: Signature) -> torch.jit.ScriptModule:
    # torch shares one compiled class among equal modules of a class; `forward` could not be defined on it twice.
    steps = type(Steps.__name__, (Steps,), {"__module__": __name__})()
    places = {model: f"model_{number}" for number, model in enumerate(modules)}
    for model, own_name in places.items():
        steps.add_module(own_name, modules[model])
    merged: torch.jit.ScriptModule = torch.jit.script(steps.eval())
    arguments = argument_names(signature)
    values = dict(zip((tensor.name for tensor in signature.inputs), arguments, strict=True))
    lines: list[str] = []
    for place, step in enumerate(group):
        result = _not_among(arguments, f"r{place}")
        lines.append(f"{result} = self.{places[step.model]}({_call(step, modules[step.model], values)})")
        values.update(_results(step, modules[step.model], result))
    found = [values[tensor.name] for tensor in signature.outputs]
    lines.append(f"return {found[0]}" if len(found) == 1 else f"return ({', '.join(found)})")
    merged.define(f"def forward(self, {', '.join(arguments)}):\n    " + "\n    ".join(lines) + "\n")
    merged.eval()
    return merged


def _not_among(taken: Sequence[str], name: str) -> str:
    return name if name not in taken else _not_among(taken, f"{name}_")


def _call(step: WiredStep, module: Any, values: Mapping[str, str]) -> str:
    """Return the arguments of a call of `module`, in the places that Triton's backend puts them."""
    arguments = [argument.name for argument in module.forward.schema.arguments[1:]]
    places = input_positions([tensor.name for tensor in step.signature.inputs], arguments)
    by_place = {place: values[step.inputs[name]] for name, place in places.items()}
    # What it writes into an input must not reach the clients or another step.
    own = ".clone()" if _writes(module.inlined_graph) else ""
    return ", ".join(f"{by_place[place]}{own}" for place in range(len(arguments)))


def _results(step: WiredStep, module: Any, result: str) -> Mapping[str, str]:
    """Return the expression for each tensor of the pipeline that `result`, the answer of `module`, holds."""
    is_one = module.forward.schema.returns[0].type.kind() == "TensorType"
    places = output_positions([tensor.name for tensor in step.signature.outputs])
    return {outer: result if is_one else f"{result}[{places[name]}]" for name, outer in step.outputs.items()}


def _writes(block: Any) -> bool:
    """Return whether an operator changes one of its arguments, which torch marks `!` in its schema."""
    return any(
        "!" in node.schema() or any(_writes(inner) for inner in node.blocks()) for node in block.nodes()
    )
