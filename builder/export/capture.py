"""The model as torch.export sees it, made once for the control-flow check and for the ONNX exporter."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch._dynamo.exc import UserError, UserErrorType
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.export import Dim, ExportedProgram
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode, PendingUnbackedSymbolNotFound

from builder.blame import chain, line_in_text, line_of_error
from builder.export.example import example, example_sizes, forward_shape
from builder.export.values_out import value_leaves
from builder.spec.loaded import Loaded
from builder.spec.project import axis_range

_BRANCHING: Final = frozenset({"cond", "while_loop", "scan", "map_impl"})
_FROM_VALUES: Final = frozenset({"aten.item.default", "aten._local_scalar_dense.default"})
_DATA_DEPENDENT: Final = (
    GuardOnDataDependentSymNode,  # a branch, a loop or a size
    DataDependentOutputException,  # an op that returns a number: torch.equal, torch.allclose
    DynamicOutputShapeException,  # an op whose result is as large as the values say
    PendingUnbackedSymbolNotFound,  # a number that was taken out and got lost
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What torch.export made of a model."""

    program: ExportedProgram | None
    """None: it failed."""
    failure: Exception | None = None
    value_decides: str = ""
    """The user's line where a tensor's value decides, or may decide, what is computed; empty: none does."""


# Keyed by the module object: two backends of one model share one export. An entry goes with its module.
_MADE: MutableMapping[torch.nn.Module, Captured] = WeakKeyDictionary()


def capture(loaded: Loaded) -> Captured:
    """Export `loaded` with torch.export, every axis dynamic within its range; a second call is free."""
    if loaded.module not in _MADE:
        _MADE[loaded.module] = _capture(loaded)
    return _MADE[loaded.module]


def _capture(loaded: Loaded) -> Captured:
    if loaded.program is not None:
        return Captured(program=loaded.program, value_decides=_values_in_control(loaded.program))
    if loaded.kind == "torchscript":
        return Captured(program=None, failure=TypeError("torch.export does not take a TorchScript source"))
    try:
        program = torch.export.export(loaded.module, example(loaded), dynamic_shapes=_dynamic_shapes(loaded))
    except Exception as error:  # noqa: BLE001 - models and tracers raise anything; what it means is judged here
        return _failed(loaded, error)
    return Captured(program=program, value_decides=_values_in_control(program))


def _dynamic_shapes(loaded: Loaded) -> tuple[Any, ...]:
    sizes = example_sizes(loaded.model, loaded.signature)
    dims = {axis: _dim(loaded, axis) for axis in sizes}
    per_input = tuple(
        {place: dims[dim] for place, dim in enumerate(tensor.shape) if isinstance(dim, str)}
        for tensor in loaded.signature.inputs
    )
    return forward_shape(loaded, per_input)


def _dim(loaded: Loaded, axis: str) -> Any:
    limits = loaded.declared.get(axis, axis_range(loaded.model, axis))
    if limits.min >= limits.max:
        return Dim(axis, min=1)  # a range of one size would make the axis fixed
    return Dim(axis, min=limits.min, max=limits.max)


def _failed(loaded: Loaded, error: Exception) -> Captured:
    """Say what the failure tells about the values; where it tells nothing, an eager run is watched."""
    if any(_is_data_dependence(link) for link in chain(error)):
        decides = line_of_error(error) or "a line that torch.export does not name"
    else:
        decides = value_leaves(loaded)
    return Captured(program=None, failure=error, value_decides=decides)


def _is_data_dependence(error: BaseException) -> bool:
    if isinstance(error, UserError):
        return error.error_type is UserErrorType.DYNAMIC_CONTROL_FLOW
    return isinstance(error, _DATA_DEPENDENT)


def _values_in_control(program: ExportedProgram) -> str:
    """Return the user's line where an input's value becomes a number or decides a branch; empty if none."""
    inputs = set(program.graph_signature.user_inputs)
    fed: set[torch.fx.Node] = set()
    for node in program.graph.nodes:
        if node.name in inputs or any(source in fed for source in node.all_input_nodes):
            fed.add(node)
            if str(node.target) in _BRANCHING | _FROM_VALUES:
                return line_in_text(str(node.meta.get("stack_trace", ""))) or str(node.target)
    return ""
