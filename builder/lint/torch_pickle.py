"""A pickle's structure, read without running it: no class is imported, nothing is called.

TorchScript archives keep a module's attributes in one. Each opcode is applied to plain values as far as it only
builds lists, dicts and objects; what would call something leaves a blank.
"""

import pickletools
import struct
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Any, Final

from builder.rules.pytorch_results import Tensor

MOST: Final = 400_000
"""Opcodes beyond which the rest is not read."""

_MARK: Final = object()
_LITERALS: Final = frozenset(
    {
        "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BININT", "BININT1", "BININT2", "INT", "LONG1",
        "BINFLOAT", "NONE",
    }
)  # fmt: skip
_CONSTANTS: Final = {"NEWTRUE": True, "NEWFALSE": False}
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_STORAGE_KIND, _STORAGE_KEY = 1, 2
"""Where a tensor's reference names the class of its elements, and their file."""
_TYPES: Final = {
    "torch.BoolStorage": "TYPE_BOOL",
    "torch.ByteStorage": "TYPE_UINT8",
    "torch.CharStorage": "TYPE_INT8",
    "torch.ShortStorage": "TYPE_INT16",
    "torch.IntStorage": "TYPE_INT32",
    "torch.LongStorage": "TYPE_INT64",
    "torch.HalfStorage": "TYPE_FP16",
    "torch.BFloat16Storage": "TYPE_BF16",
    "torch.FloatStorage": "TYPE_FP32",
    "torch.DoubleStorage": "TYPE_FP64",
}
_REBUILD: Final = "torch._utils._rebuild_tensor_v2"
_LISTS: Final = tuple(f"torch.jit._pickle.build_{kind}list" for kind in ("int", "double", "bool"))
_SHAPE: Final = 2
"""Which of its arguments is the shape."""


class Blank(Enum):
    """What a value is that only running something would tell."""

    BLANK = "blank"


class NotPickle(ValueError):
    """The bytes are no pickle."""


@dataclass(slots=True, eq=False)
class Instance:
    """An object that unpickling would make."""

    kind: str
    """Its class, such as `__torch__.Model`."""
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Outline:
    """What a pickle would make."""

    first: str = ""
    """The first class or function that it names."""
    instances: list[Instance] = field(default_factory=list)
    """Those with a state, innermost first."""
    storages: list[str] = field(default_factory=list)
    """The files that hold its tensors' elements."""
    value: Any = Blank.BLANK
    """The whole: tuples and dicts, objects as `Instance`, tensors as `Tensor`, blanks for the rest."""


def outline(data: bytes) -> Outline:
    """Return what the pickle in `data` would make, as far as its first opcodes tell.

    Raises:
        NotPickle: it is none.
    """
    reader = _Reader()
    try:
        for opcode, argument, _ in islice(pickletools.genops(data), MOST):
            reader.take(opcode, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error) as error:
        raise NotPickle(str(error)) from None
    return reader.found


class _Reader:
    """A pickle machine with blanks in place of everything that would run."""

    def __init__(self) -> None:
        self.found = Outline()
        self._stack: list[Any] = []
        self._memo: dict[Any, Any] = {}

    def take(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Apply one opcode."""
        name, stack = opcode.name, self._stack
        if name in _LITERALS or name in _CONSTANTS:
            stack.append(_CONSTANTS.get(name, argument))
        elif name in _PUTS:
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _GETS:
            stack.append(self._memo[argument])
        elif (method := getattr(self, f"_{name.lower()}", None)) is not None:
            method(argument)
        else:
            self._blank(opcode)

    def _stop(self, _: Any) -> None:
        self.found.value = self._stack.pop()

    def _mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def _global(self, argument: str) -> None:
        name = argument.replace(" ", ".", 1)
        self.found.first = self.found.first or name
        self._stack.append(Instance(name))

    def _empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def _empty_list(self, _: Any) -> None:
        self._stack.append([])

    def _append(self, _: Any) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._to_mark())

    def _extend(self, values: list[Any]) -> None:
        if isinstance(self._stack[-1], list):
            self._stack[-1].extend(values)

    def _setitems(self, _: Any) -> None:
        pairs = self._to_mark()
        self._fill(self._stack[-1], zip(pairs[::2], pairs[1::2], strict=False))

    def _setitem(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._fill(self._stack[-1], [(key, value)])

    @staticmethod
    def _fill(target: Any, pairs: Any) -> None:
        if isinstance(target, dict):
            target.update((key, value) for key, value in pairs if isinstance(key, str))

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._to_mark()))

    def _tuple1(self, _: Any) -> None:
        self._take_tuple(1)

    def _tuple2(self, _: Any) -> None:
        self._take_tuple(2)

    def _tuple3(self, _: Any) -> None:
        self._take_tuple(3)

    def _take_tuple(self, count: int) -> None:
        values = [self._stack.pop() for _ in range(count)]
        self._stack.append(tuple(values[::-1]))

    def _empty_tuple(self, _: Any) -> None:
        self._stack.append(())

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        name = function.kind if isinstance(function, Instance) else ""
        if name == _REBUILD:
            self._stack.append(_tensor(arguments))
        elif name in _LISTS and isinstance(arguments, tuple) and isinstance(arguments[0], list):
            self._stack.append(arguments[0])
        else:
            self._stack.append(Blank.BLANK)

    def _newobj(self, _: Any) -> None:
        _arguments, kind = self._stack.pop(), self._stack.pop()
        self._stack.append(Instance(kind.kind) if isinstance(kind, Instance) else Blank.BLANK)

    def _build(self, _: Any) -> None:
        state, made = self._stack.pop(), self._stack[-1]
        if isinstance(made, Instance) and isinstance(state, dict):
            made.state = state
            self.found.instances.append(made)

    def _binpersid(self, _: Any) -> None:
        key = self._stack.pop()
        if isinstance(key, tuple) and len(key) > _STORAGE_KEY and isinstance(key[_STORAGE_KEY], str):
            self.found.storages.append(key[_STORAGE_KEY])
            self._stack.append(key[_STORAGE_KIND])
        else:
            self._stack.append(Blank.BLANK)

    def _blank(self, opcode: pickletools.OpcodeInfo) -> None:
        """Take off and put on what `opcode` would, the values aside."""
        for kind in reversed(opcode.stack_before):
            if kind is pickletools.stackslice:
                self._to_mark()
            elif kind is not pickletools.markobject:
                self._stack.pop()
        self._stack += [Blank.BLANK] * len(opcode.stack_after)

    def _to_mark(self) -> list[Any]:
        found = []
        while (value := self._stack.pop()) is not _MARK:
            found.append(value)
        return found[::-1]


def _tensor(arguments: Any) -> Tensor | Blank:
    """Return the tensor that the function for it would make of `arguments`."""
    if (
        not isinstance(arguments, tuple)
        or len(arguments) <= _SHAPE
        or not isinstance(arguments[_SHAPE], tuple)
    ):
        return Blank.BLANK
    storage, shape = arguments[0], arguments[_SHAPE]
    if not isinstance(storage, Instance) or not all(type(size) is int for size in shape):
        return Blank.BLANK
    return Tensor(_TYPES.get(storage.kind, ""), shape)
