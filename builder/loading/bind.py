"""The inputs of trb.yaml bound to `forward`, and a module that takes and gives flat tensors."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from inspect import Parameter
from typing import Any, Final, Literal

import torch

from builder.errors import SourceError
from builder.loading.flatten import tensors
from builder.spec.tensors import Signature, Tensor

_NAMED: Final = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_PLACED: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

How = Literal["name", "position"]


def bind(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> tuple[How, tuple[Tensor, ...]]:
    """Return how the inputs meet `forward`'s arguments, and the inputs in call order.

    Names that are all arguments bind by name, whatever their order; names of which none is one bind in order.

    Raises:
        SourceError: some names are arguments and others not, or a required argument gets nothing.
    """
    parameters = inspect.signature(module.forward).parameters
    named = [name for name, parameter in parameters.items() if parameter.kind in _NAMED]
    given = [tensor.name for tensor in inputs]
    strangers = [name for name in given if name not in named]
    if strangers and len(strangers) < len(given):
        near = get_close_matches(strangers[0], [name for name in named if name not in given], n=1)
        hint = f"did you mean `{near[0]}`?" if near else "name all inputs after its arguments, or none"
        raise SourceError(
            f"inputs: `forward({', '.join(parameters)})` has no argument `{strangers[0]}`", fix=hint
        )
    if strangers:
        _require_places(parameters, given)
        return "position", inputs
    _require(parameters, given)
    by_name = {tensor.name: tensor for tensor in inputs}
    return "name", tuple(by_name[name] for name in named if name in by_name)


def _require(parameters: Mapping[str, Parameter], given: list[str]) -> None:
    kinds = (*_NAMED, Parameter.POSITIONAL_ONLY)
    required = [n for n, one in parameters.items() if one.kind in kinds and one.default is Parameter.empty]
    for name in required:
        if name not in given:
            raise SourceError(
                f"inputs: `forward` needs an argument `{name}` that trb.yaml does not feed",
                fix=f"add `{name}` to `inputs`, or give the argument a default",
            )


def _require_places(parameters: Mapping[str, Parameter], given: list[str]) -> None:
    placed = [name for name, parameter in parameters.items() if parameter.kind in _PLACED]
    required = [name for name in placed if parameters[name].default is Parameter.empty]
    any_number = any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters.values())
    if len(given) < len(required):
        missing = ", ".join(f"`{name}`" for name in required[len(given) :])
        raise SourceError(
            f"inputs: `forward` also needs {missing}", fix="add it to `inputs`, or give it a default"
        )
    if len(given) > len(placed) and not any_number:
        signature = f"forward({', '.join(parameters)})"
        raise SourceError(f"inputs: trb.yaml has {len(given)} inputs, `{signature}` takes {len(placed)}")


class Flat(torch.nn.Module):
    """A module whose `forward` takes the inputs by position and returns a flat tuple."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model


def flat(module: torch.nn.Module, signature: Signature, how: How) -> torch.nn.Module:
    """Wrap `module` so that it takes the inputs in signature order and returns a flat tuple of tensors."""
    names = [tensor.name if how == "name" else f"input_{n}" for n, tensor in enumerate(signature.inputs)]
    passed = ", ".join(f"{name}={name}" if how == "name" else name for name in names)
    source = f"def forward(self, {', '.join(names)}):\n    return tensors(self.model({passed}))\n"
    scope: dict[str, Any] = {"tensors": tensors}
    exec(source, scope)  # noqa: S102 - exporters read the names of the arguments; the names were checked
    wrapper: torch.nn.Module = type("Flat", (Flat,), {"forward": scope["forward"]})(module)
    wrapper.training = False  # not eval(): an exported program's module refuses it; any other is in eval mode
    return wrapper
