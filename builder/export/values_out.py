"""Where an input's value leaves the tensors and becomes Python's, seen by running the model eagerly."""

import traceback
from typing import Any, Final

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from builder.blame import line_in_text
from builder.export.example import example
from builder.spec.loaded import Loaded

_PROTOCOLS: Final = ("bool", "int", "float", "complex", "index", "contains", "array", "format", "repr")
_OUT: Final = frozenset(
    {"item", "tolist", "numpy", "equal", "allclose", "is_nonzero", *(f"__{name}__" for name in _PROTOCOLS)}
)


def value_leaves(loaded: Loaded) -> str:
    """Return the user's line where an input's value first becomes a number, bool or text; empty if none does.

    Up to that line no value can have decided what is computed, so it does not matter which inputs are fed. Shapes
    are not values, nor is what the model computes from its weights alone. A model that fails gives what was seen
    until then.
    """
    inputs = example(loaded)
    watch = _Watch(inputs)
    try:
        with torch.no_grad(), watch:
            loaded.module(*inputs)
    except Exception:  # noqa: BLE001 - the user's own forward may raise anything; its reference run tells that
        return watch.line
    return watch.line


class _Watch(TorchFunctionMode):
    """Follows what is computed from `inputs` through every call to torch."""

    def __init__(self, inputs: tuple[torch.Tensor, ...]) -> None:
        super().__init__()
        self.line = ""
        self.fed = {id(tensor): tensor for tensor in inputs}  # held, so that no id is given away twice

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = func(*args, **(kwargs or {}))
        given = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        if any(id(tensor) in self.fed for tensor in given):
            name = getattr(func, "__name__", "")
            if name in _OUT and not self.line:
                self.line = line_in_text("".join(traceback.format_stack())) or f"a call of {name}()"
            written = given[:1] if _writes(name) else []
            made = [leaf for leaf in pytree.tree_leaves(answer) if isinstance(leaf, torch.Tensor)]
            self.fed.update({id(tensor): tensor for tensor in (*made, *written)})
        return answer


def _writes(name: str) -> bool:
    return name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
