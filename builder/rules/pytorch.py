"""What Triton's pytorch backend refuses of a TorchScript model, and how it maps names to positions."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from builder.rules import parameters, sequences
from builder.rules.refusal import Config, Refusal, backend_dims, max_batch_size, tensors

TENSOR_TYPES: Final = frozenset(
    f"TYPE_{name}" for name in ("BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
)
INTEGERS: Final = ("INTRA_OP_THREAD_COUNT", "INTER_OP_THREAD_COUNT")
BOOLEANS: Final = (
    "DISABLE_OPTIMIZED_EXECUTION",
    "INFERENCE_MODE",
    "DISABLE_CUDNN",
    "ENABLE_WEIGHT_SHARING",
    "ENABLE_CACHE_CLEANING",
    "ENABLE_TENSOR_FUSER",
    "ENABLE_JIT_EXECUTOR",
    "ENABLE_JIT_PROFILING",
)
_DIGITS: Final = "0123456789"
_MOST_DIGITS: Final = 20  # beyond any index; Python reads no number of thousands of digits


class Argument(NamedTuple):
    """One argument of `forward`, without self."""

    name: str
    kind: str
    """What torch calls the kind of its type, such as `TensorType`."""
    type: str
    """The type as torch prints it, such as `float`."""


class Naming(Enum):
    """How names in the config find their place in the model."""

    ARGUMENT = "the names are arguments of forward()"
    INDEX = "the names end in __<index>"
    CONFIG_ORDER = "the order of the config"


def index_of(name: str) -> int | None:
    """Return the index in `<text>__<index>`, after the first `__`; None where the name has no such form."""
    _, mark, index = name.partition("__")
    return int(index[:_MOST_DIGITS] or 0) if mark and not index.strip(_DIGITS) else None


def input_naming(names: Sequence[str], arguments: Sequence[str]) -> Naming:
    """Return which of the three conventions the backend applies to all inputs."""
    if all(name in arguments for name in names):
        return Naming.ARGUMENT
    return output_naming(names)


def output_naming(names: Sequence[str]) -> Naming:
    """Return which convention the backend applies to all outputs."""
    return Naming.CONFIG_ORDER if any(index_of(name) is None for name in names) else Naming.INDEX


def input_positions(names: Sequence[str], arguments: Sequence[str]) -> Mapping[str, int]:
    """Return the position in `forward` that each input is given to."""
    naming = input_naming(names, arguments)
    if naming is Naming.ARGUMENT:
        return {name: arguments.index(name) for name in names}
    return _positions(names, naming)


def output_positions(names: Sequence[str]) -> Mapping[str, int]:
    """Return the position in the model's flat result that each output is taken from."""
    return _positions(names, output_naming(names))


def _positions(names: Sequence[str], naming: Naming) -> Mapping[str, int]:
    if naming is Naming.INDEX:
        return {name: index_of(name) or 0 for name in names}
    return {name: position for position, name in enumerate(names)}


def takes_dict(arguments: Sequence[Argument]) -> bool:
    """Return whether `forward` takes one dict, whose keys are the config's input names."""
    return len(arguments) == 1 and arguments[0].kind == "DictType"


def check(config: Config, arguments: Sequence[Argument]) -> list[Refusal]:
    """Return all that the backend has against serving this model under `config`, in the order it looks.

    Args:
        config: the configuration; the backend completes nothing.
        arguments: those of the model's `forward`, self left out.
    """
    crashes = list(_beyond_inputs(config, arguments))
    return [
        *parameters.unreadable(config, integers=INTEGERS, booleans=BOOLEANS),
        *_controls(config),
        *_arguments(config, arguments),
        *_tensors(config, "input"),
        *_tensors(config, "output"),
        *(crashes or _without_input(config, arguments)),
    ]


def _arguments(config: Config, arguments: Sequence[Argument]) -> Iterator[Refusal]:
    if takes_dict(arguments) or not arguments:
        return
    if any(argument.kind == "DictType" for argument in arguments[1:]):
        yield Refusal(
            "Multiple inputs of kind DictType were detected. Only a single input of type Dict(str, Tensor) "
            "is supported.",
            code="T202",
        )
        return
    others = [argument for argument in arguments if argument.kind not in ("TensorType", "ListType")]
    for argument in others:
        yield Refusal(
            f"An input of type '{argument.type}' was detected in the model. Only a single input of type "
            "Dict(str, Tensor) or input(s) of type Tensor are supported.",
            code="T202",
            fix=f"wrap the module in one that fixes '{argument.name}', and save that",
        )
    wanted = len(tensors(config, "input")) + len(config.get("batch_input") or ())
    wanted += sum(1 for _ in sequences.controls(config))
    if wanted != len(arguments) and not others:
        yield Refusal(
            f"unable to load model '{config['name']}', configuration expects {wanted} inputs, model provides "
            f"{len(arguments)}",
            code="T201",
            place=("input",),
            fix=f"list one input for each argument of forward({', '.join(one.name for one in arguments)})",
        )


def _tensors(config: Config, io: str) -> Iterator[Refusal]:
    found = tensors(config, "input" if io == "input" else "output")
    if not found:
        yield Refusal(
            f"model configuration must contain at least one {io}, none were specified.", code="T201"
        )
    for position, tensor in enumerate(found):
        name, wanted = tensor["name"], tensor["data_type"]
        if wanted != "TYPE_STRING" and wanted not in TENSOR_TYPES:
            yield Refusal(
                f"unsupported datatype {wanted} for {io} '{name}' for model '{config['name']}'",
                code="T203",
                place=(io, position, "data_type"),
            )
        rank = len(backend_dims(tensor)) + (max_batch_size(config) > 0)
        if wanted == "TYPE_STRING" and rank > 1:
            yield Refusal(
                f"Triton only supports 1 dimensional List of String as {io} for '{name}' for model "
                f"'{config['name']}'",
                code="T203",
                place=(io, position, "dims"),
            )


def call_positions(config: Config, arguments: Sequence[Argument]) -> Mapping[str, int]:
    """Return the position in `forward` of every tensor of a request, sequence controls included."""
    names = [tensor["name"] for tensor in tensors(config, "input")]
    controls = {name: index_of(name) or 0 for name in sequences.control_names(config)}
    return {**input_positions(names, [argument.name for argument in arguments]), **controls}


def misplaced(config: Config, arguments: Sequence[Argument]) -> list[Refusal]:
    """Return the tensors that the backend would take for others, given a config in the model's own order.

    No server notices: of two outputs `probs__1, logits__0` each is answered with the other's values.
    """
    if takes_dict(arguments):
        return []
    names = [tensor["name"] for tensor in tensors(config, "output")]
    given = call_positions(config, arguments)
    return [
        *_misplaced(
            config, "input", {tensor["name"]: given[tensor["name"]] for tensor in tensors(config, "input")}
        ),
        *_misplaced(config, "output", output_positions(names)),
    ]


def _misplaced(config: Config, io: str, positions: Mapping[str, int]) -> Iterator[Refusal]:
    for own, (name, position) in enumerate(positions.items()):
        if position != own:
            yield Refusal(
                f"{io} '{name}' of model '{config['name']}' is number {own} of the model, counted from 0, but the "
                f"pytorch backend takes it for number {position} by its name",
                kind="request",
                code="T208",
                place=(io, own, "name"),
            )


def _controls(config: Config) -> Iterator[Refusal]:
    for control in sequences.controls(config):
        if index_of(control.name) is None:
            yield Refusal(
                f"input '{control.name}' does not follow <name>__<index> naming convention.",
                code="T204",
                place=("sequence_batching",),
            )
        elif control.type not in TENSOR_TYPES:
            yield Refusal(
                f"input '{control.name}' type '{control.type}' is not supported by PyTorch.",
                code="T203",
                place=(*control.place, "data_type"),
            )


def _without_input(config: Config, arguments: Sequence[Argument]) -> Iterator[Refusal]:
    if takes_dict(arguments):
        return
    fed = set(call_positions(config, arguments).values())
    for position, argument in enumerate(arguments):
        if position not in fed:
            yield Refusal(
                f"PyTorch execute failure: forward() Expected a value of type '{argument.type}' for argument "
                f"'{argument.name}' but instead found type 'NoneType'.",
                kind="request",
                code="T207",
                place=("input",),
            )


def _beyond_inputs(config: Config, arguments: Sequence[Argument]) -> Iterator[Refusal]:
    if takes_dict(arguments):
        return
    positions = call_positions(config, arguments)
    given = len(positions) + len(config.get("batch_input") or ())
    for own, (name, position) in enumerate(positions.items()):
        if position >= given:
            yield Refusal(
                f"input '{name}' of model '{config['name']}' refers to input index {position}, but a "
                f"request has only {given}, counted from 0: the genuine pytorch backend loads this and then "
                "crashes the whole server at a request",
                kind="crash",
                code="T206",
                place=("input", own, "name"),
                fix=f"name the inputs as in forward({', '.join(one.name for one in arguments)}), or count from 0",
            )
