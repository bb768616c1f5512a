"""What `forward` returns, where TorchScript does not compile it."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import torch

_PLAIN: Final = (dict, list, tuple)
_RETURNS: Final = re.compile(r":\d+: return\b")


def line_that_makes(module: Any, answer: Any) -> str:
    """Return the line of `forward` that makes an answer of some class, as `file:line: source`; empty: there is none."""
    names = [type(part).__name__ for part in _parts(answer) if type(part) not in _PLAIN]
    try:
        lines, first = inspect.getsourcelines(type(module).forward)
        file = inspect.getsourcefile(type(module).forward)
    except (OSError, TypeError):  # made at run time, or in C
        return ""
    found = [
        (n, line) for n, line in enumerate(lines, start=first) if any(f"{name}(" in line for name in names)
    ]
    return f"{file}:{found[0][0]}: {found[0][1].strip()}" if found else ""


def way_to_return(place: str) -> str:
    """Return in which forms TorchScript compiles an answer, where `place` is a line that returns or makes one."""
    if not _RETURNS.search(place):
        return ""
    return (
        "return a tuple, a list, one dict literal, or a typing.NamedTuple whose fields have types, nested as you like: "
        "TorchScript compiles those; or say `backend: onnx`"
    )


def _parts(nested: Any) -> Iterator[Any]:
    """Yield `nested` and every container in it."""
    if isinstance(nested, torch.Tensor) or nested is None:
        return
    yield nested
    if isinstance(nested, Mapping):
        nested = nested.values()
    elif is_dataclass(nested):
        nested = [getattr(nested, field.name) for field in fields(nested)]
    for part in nested:
        yield from _parts(part)
