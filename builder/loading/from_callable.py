"""`package.module:callable`, giving an nn.Module."""

import inspect
from pathlib import Path
from typing import Any

import torch

from builder.errors import SourceError
from builder.loading.bind import How, bind, flat
from builder.loading.callables import call, resolve
from builder.loading.flatten import is_flat, left_out
from builder.loading.opened import Opened, first_answer, inputs_of, named_outputs
from builder.loading.reference import dtype_of, module_runner
from builder.loading.weights import first_difference, load_weights, state_of, weights_sha256
from builder.spec.loaded import Feed
from builder.spec.project import Model
from builder.spec.tensors import Signature, Tensor


def open_callable(model: Model, folder: Path, samples: Feed | None = None) -> Opened:
    """Call the source, load the weights, bind the inputs and run it once.

    Raises:
        SourceError: any of that fails.
    """
    original = made(model, folder)
    how, inputs = bind(original, inputs_of(model))
    fits = _takes_in_order(original, inputs, how)
    by_place = original if fits else _by_name(original, inputs)
    result = first_answer(model, by_place, inputs, samples)
    outputs = named_outputs(model, result)
    names = tuple(name for name, _ in outputs)
    is_plain = fits and is_flat(result)
    module = original if is_plain else flat(original, Signature(inputs=inputs, outputs=()), how)
    return Opened(
        kind="module",
        bind=how,
        inputs=inputs,
        dtypes={name: dtype_of(name, tensor) for name, tensor in outputs},
        module=module,
        original=original,
        reference=module_runner(module, inputs, names),
        reference_name="eager PyTorch",
        weights_sha256=weights_sha256(state_of(original)),
        notes=left_out(result),
    )


def made(model: Model, folder: Path) -> torch.nn.Module:
    """Return the module that the source gives, in eval mode, with the weights of trb.yaml.

    Raises:
        SourceError: it gives no module, or other tensors each time it is called: it could not be built again.
    """
    function = resolve(model.source, folder, key="source")
    first, second = (_module(call(function, model.source, key="source"), model.source) for _ in range(2))
    replaced = frozenset[str]()
    if model.weights is not None:
        load_weights(first, folder / model.weights, allow_pickle=model.allow_pickle)
        replaced = frozenset(first.state_dict())
    if first is not second and (name := first_difference(first, second, but=replaced)):
        raise SourceError(
            f"source: {model.source} gives other weights each time it is called; `{name}` differs",
            fix="load trained ones (`weights:` in trb.yaml), or call torch.manual_seed(0) before making them",
        )
    return first.eval()


def _module(found: Any, source: str) -> torch.nn.Module:
    if isinstance(found, torch.nn.Module):
        return found.cpu()
    raise SourceError(
        f"source: {source} returned {type(found).__name__}, not a torch.nn.Module", fix="return the module"
    )


def _takes_in_order(module: torch.nn.Module, inputs: tuple[Tensor, ...], how: How) -> bool:
    """Whether the inputs are the first arguments of `forward`, so that they can be given by place."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(module.forward).parameters
    placed = [name for name, parameter in parameters.items() if parameter.kind in kinds]
    return how == "position" or placed[: len(inputs)] == [tensor.name for tensor in inputs]


def _by_name(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    names = [tensor.name for tensor in inputs]
    return lambda *values: module(**dict(zip(names, values, strict=True)))
