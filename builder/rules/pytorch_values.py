"""What Triton's pytorch backend cannot give to `forward`, or not take from it; it finds out at a request."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from builder.rules import pytorch
from builder.rules.pytorch import Argument
from builder.rules.refusal import Config, Place, Refusal, tensors

_TAGS: Final = {
    "TupleType": "Tuple",
    "DictType": "GenericDict",
    "FloatType": "Double",
    "IntType": "Int",
    "BoolType": "Bool",
    "StringType": "String",
    "ComplexType": "ComplexDouble",
    "NoneType": "None",
    "DeviceObjType": "Device",
    "ClassType": "Object",
    "EnumType": "Enum",
}
"""What libtorch calls a value of each kind that the backend cannot return."""


class Type(NamedTuple):
    """A type in TorchScript."""

    kind: str
    """What torch calls its kind, such as `TensorType`."""
    text: str
    """The type as torch prints it, such as `Dict[str, Tensor]`."""
    elements: tuple["Type", ...] = ()
    """The types in its brackets; of a NamedTuple, those of its fields."""
    names: tuple[str, ...] = ()
    """Those of a NamedTuple's fields."""

    @property
    def results(self) -> tuple["Type", ...]:
        """The parts that the backend counts as outputs."""
        return self.elements if self.kind == "TupleType" else (self,)


def check(config: Config, arguments: Sequence[Argument], returned: Type) -> list[Refusal]:
    """Return all that keeps a model of this signature from answering requests under `config`."""
    return [*_given(config, arguments), *_kinds(returned), *_beyond(config, returned)]


def _given(config: Config, arguments: Sequence[Argument]) -> Iterator[Refusal]:
    if pytorch.takes_dict(arguments):
        if arguments[0].type != "Dict[str, Tensor]":
            yield _unfit(arguments[0], "Dict[str, Tensor]", ("input",))
        return
    positions = pytorch.call_positions(config, arguments)
    for own, tensor in enumerate(tensors(config, "input")):
        given = "List[str]" if tensor.get("data_type") == "TYPE_STRING" else "Tensor"
        position = positions[tensor["name"]]
        if position < len(arguments) and arguments[position].type != given:
            yield _unfit(arguments[position], given, ("input", own, "data_type"))


def _unfit(argument: Argument, given: str, place: Place) -> Refusal:
    return Refusal(
        f"PyTorch execute failure: forward() Expected a value of type '{argument.type}' for argument "
        f"'{argument.name}' but instead found type '{given}'.",
        kind="request",
        code="T212",
        place=place,
        fix="data_type: TYPE_STRING" if argument.type == "List[str]" else "",
    )


def _kinds(returned: Type) -> Iterator[Refusal]:
    if returned.kind == "TupleType":
        for position, element in enumerate(returned.elements):
            if _is_wrong_list(element):
                yield _refusal(
                    f"output at index {position} must be of type Tensor or List[str], received {element.text}"
                )
            elif element.kind in _TAGS:
                yield _refusal(f"Expected Tensor but got {_TAGS[element.kind]}")
    elif _is_wrong_list(returned):
        yield _refusal(f"output must be of type Tensor or List[str], received {returned.text}")
    elif returned.kind in _TAGS:
        yield _refusal(
            "output must be of type Tensor, List[str] or Tuple containing one of these two types. It should not "
            "be a List / Dictionary of Tensors or a Scalar"
        )


def _is_wrong_list(found: Type) -> bool:
    return found.kind == "ListType" and any(
        one.kind in {*_TAGS, "TensorType", "ListType"} - {"StringType"} for one in found.elements[:1]
    )


def _refusal(why: str) -> Refusal:
    return Refusal(
        f"PyTorch execute failure: {why}",
        kind="request",
        code="T209",
        fix="wrap the module in one whose forward returns a tensor or a flat tuple of tensors, and save that",
    )


def _beyond(config: Config, returned: Type) -> Iterator[Refusal]:
    if returned.kind not in ("TensorType", "TupleType"):
        return
    names = [tensor["name"] for tensor in tensors(config, "output")]
    for own, (name, position) in enumerate(pytorch.output_positions(names).items()):
        if position >= len(returned.results):
            yield Refusal(
                f"The output {name} in the model configuration refers to an output index which doesn't exist. "
                f"This model has {len(returned.results)} outputs",
                kind="request",
                code="T205",
                place=("output", own, "name"),
                fix="<name>__<index> counts from 0",
            )
