"""Modules to put around a model in its `load()`, so that Triton can serve it."""

import inspect
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import torch
from torch import nn


class BatchFirst(nn.Module):
    """A module whose tensors all have the batch as their first axis, around one where some have it elsewhere.

    Triton batches along the first axis of every tensor. The states of `nn.LSTM` are [layers, batch, hidden]:

        def load():
            return BatchFirst(Tagger(), inputs={"h0": 1, "c0": 1}, outputs={1: 1, 2: 1})

    takes and returns them as [batch, layers, hidden]. `forward` keeps the argument names of the module's own.
    It can be traced and exported, but not scripted.
    """

    def __init__(self, module: nn.Module, *, inputs: Mapping[str, int], outputs: Mapping[int, int]) -> None:
        """Wrap `module`.

        Args:
            module: its `forward` takes tensors and returns a tensor, or tuples, lists and dicts of tensors.
            inputs: by argument name, the axis where `module` has the batch; arguments left out have it first.
            outputs: by position among the returned tensors, counted from 0 through all nesting, likewise.

        Raises:
            ValueError: `module.forward` has no argument of that name.
        """
        super().__init__()
        self.module = module
        self.signature = inspect.signature(module.forward)
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)
        for name in self.inputs:
            if name not in self.signature.parameters:
                known = ", ".join(self.signature.parameters)
                raise ValueError(f"{type(module).__name__}.forward has no argument {name}; it has {known}")
        # `inspect.signature` asks the function, not the instance: each instance gets a class of its own.
        self.__class__ = type(type(self).__name__, (type(self),), {"forward": _forward_like(self.signature)})


def _forward_like(signature: inspect.Signature) -> Any:
    def forward(self: BatchFirst, *args: Any, **kwargs: Any) -> Any:
        bound = self.signature.bind(*args, **kwargs)
        for name, axis in self.inputs.items():
            if name in bound.arguments:
                bound.arguments[name] = bound.arguments[name].movedim(0, axis).contiguous()
        answer = self.module(*bound.args, **bound.kwargs)
        return _moved(answer, self.outputs, count())

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    vars(forward)["__signature__"] = signature.replace(parameters=[own, *signature.parameters.values()])
    return forward


def _moved(nested: Any, axes: Mapping[int, int], places: Iterator[int]) -> Any:
    """Return `nested` with the batch axes of its tensors, found by their places, moved to the front."""
    if isinstance(nested, torch.Tensor):
        axis = axes.get(next(places), 0)
        return nested.movedim(axis, 0).contiguous() if axis else nested
    if isinstance(nested, Mapping):
        return {key: _moved(value, axes, places) for key, value in nested.items()}
    values = [_moved(value, axes, places) for value in nested]
    return values if isinstance(nested, list) else tuple(values)
