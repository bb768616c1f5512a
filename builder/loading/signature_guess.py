"""What a module takes, found by looking at it and by trying: the start of a trb.yaml."""

import inspect
from collections.abc import Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from builder.errors import SourceError
from builder.loading.callables import call, resolve
from builder.loading.guess_candidates import candidates, of_example
from builder.loading.guess_remarks import remark
from builder.loading.guess_trial import Clock, Found, first_that_runs, limits
from builder.loading.guessed import Candidate, GuessedInput, GuessedModel
from builder.loading.spec_text import write_spec

__all__ = ["GuessedInput", "GuessedModel", "guess", "write_spec"]

_EXAMPLES: Final = ("example_inputs", "example_input_array", "dummy_inputs")


def guess(source: str, folder: Path) -> GuessedModel:
    """Load `package.module:callable` and infer the inputs of its module.

    The evidence: the layers that an argument reaches, examples that the module carries, the argument's name and
    annotation. Every guess is run at two batch sizes, at the edges of its range, and with each dynamic axis at
    several sizes; what does not run is not reported. Ids of a table that is not reached directly must be refused above
    their range; a mask has to run at one of its ends alone, and that it does not at all of them is said.

    Raises:
        SourceError: the callable cannot be loaded, or gives no nn.Module.
    """
    module = call(resolve(source, folder, key="source"), source, key="source")
    if not isinstance(module, nn.Module):
        raise SourceError(f"source: {source} returned {type(module).__name__}, not a torch.nn.Module")
    module = module.cpu().eval()
    examples = _examples(module)
    names = _arguments(module, examples)
    options = candidates(module, names)
    options = {name: (*_of_example(examples, name), *options[name]) for name in names}
    clock = Clock()
    found = first_that_runs(module, options, clock) if names else None
    if found is None:
        return _unknown(source, module, names, options, clock)
    inputs = {
        name: _input(one, remark(module, name, found, options), found) for name, one in found.inputs.items()
    }
    dims = limits(module, found, clock)
    return GuessedModel(source=source, inputs=inputs, dims=dims, notes=_notes(module, found))


def _arguments(module: nn.Module, examples: Mapping[str, torch.Tensor]) -> tuple[str, ...]:
    """Return the arguments to feed: those that examples name, else the required ones, else the first."""
    parameters = inspect.signature(module.forward).parameters
    usable = [
        p for p in parameters.values() if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    if examples:
        return tuple(p.name for p in usable if p.name in examples)
    required = tuple(p.name for p in usable if p.default is Parameter.empty)
    return required or tuple(p.name for p in usable[:1])


def _examples(module: nn.Module) -> Mapping[str, torch.Tensor]:
    """Return the example inputs that a module carries under one of the usual names, by argument."""
    value: Any = next(
        (getattr(module, name) for name in _EXAMPLES if getattr(module, name, None) is not None), None
    )
    parameters = list(inspect.signature(module.forward).parameters)
    if isinstance(value, torch.Tensor):
        value = (value,)
    if isinstance(value, tuple | list):
        value = dict(zip(parameters, value, strict=False))
    if not isinstance(value, Mapping):
        return {}
    return {str(name): v for name, v in value.items() if isinstance(v, torch.Tensor) and name in parameters}


def _of_example(examples: Mapping[str, torch.Tensor], name: str) -> tuple[Candidate, ...]:
    return tuple(of_example(name, examples[name])) if name in examples else ()


def _input(one: Candidate, doubt: str, found: Found) -> GuessedInput:
    return GuessedInput(
        dtype=one.dtype,
        shape=one.shape,
        range=one.range,
        why="; ".join(filter(None, (one.why, doubt))),
        not_all_run=one.is_mask and found.held is not None,
    )


def _unknown(
    source: str,
    module: nn.Module,
    names: tuple[str, ...],
    options: Mapping[str, tuple[Candidate, ...]],
    clock: Clock,
) -> GuessedModel:
    """Return a model whose inputs are open: one wrong guess spoils the trial of all."""
    notes = [
        f"nothing tells what `{name}` takes: fill in its dtype and shape"
        for name in names
        if not options[name]
    ]
    if names and not notes:
        which = "in the time there was" if clock.is_over else "of all that were tried"
        listed = ", ".join(f"`{name}`" for name in names)
        notes = [f"`forward` ran on none of the shapes {which}: fill in dtype and shape of {listed}"]
    if not names:
        notes = ["`forward` names no arguments: fill in the inputs, in the order of the call"]
    inputs = {name: GuessedInput() for name in names or ("input",)}
    return GuessedModel(
        source=source, inputs=inputs, notes=(*notes, *_about_arguments(module, tuple(inputs)))
    )


def _notes(module: nn.Module, found: Found) -> tuple[str, ...]:
    inputs = found.inputs
    late = [name for name, one in inputs.items() if "batch" in one.shape and one.shape[0] != "batch"]
    fixed = [name for name, one in inputs.items() if "batch" not in one.shape]
    notes = [
        f"`{name}` does not have its batch axis first, so Triton cannot batch the model" for name in late
    ]
    notes += [f"`{name}` ran only without a batch axis, so Triton cannot batch the model" for name in fixed]
    notes += [
        f"the range of `{name}` is only what its example holds" for name, one in inputs.items() if "example" in one.why
        and one.range is not None
    ]  # fmt: skip
    notes += [
        f"`{name}` is a guess: nothing tells what it is" for name, one in inputs.items() if one.is_guess
    ]
    notes += [
        f"`{name}` is a mask of which not all values run: give `samples`, and say `values: samples` of it"
        for name, one in inputs.items() if one.is_mask and found.held is not None
    ]  # fmt: skip
    return (*notes, *_about_arguments(module, tuple(inputs)))


def _about_arguments(module: nn.Module, fed: tuple[str, ...]) -> tuple[str, ...]:
    optional = [
        name
        for name, parameter in inspect.signature(module.forward).parameters.items()
        if name not in fed and parameter.default is not Parameter.empty
    ]
    listed = ", ".join(f"`{name}`" for name in optional)
    return (f"not fed, their defaults stand: {listed}; add those that clients send",) if optional else ()
