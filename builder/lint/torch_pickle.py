"""A pickle's structure, read without running it: no class is imported, nothing is called.

TorchScript archives keep a module's attributes in one. Each opcode is applied to plain values as far as it only
builds lists, dicts and objects; what would call something leaves a blank.
"""

import pickletools
import struct
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

MOST: Final = 400_000
"""Opcodes beyond which the rest is not read."""

_MARK: Final = object()
_LITERALS: Final = frozenset(
    {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BININT", "BININT1", "BININT2", "INT"}
)
_CONSTANTS: Final = {"NEWTRUE": True, "NEWFALSE": False}
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_STORAGE_KEY: Final = 2
"""Where a tensor's reference names the file of its elements."""


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

    def _mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def _global(self, argument: str) -> None:
        name = argument.replace(" ", ".", 1)
        self.found.first = self.found.first or name
        self._stack.append(Instance(name))

    def _empty_dict(self, _: Any) -> None:
        self._stack.append({})

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

    def _newobj(self, _: Any) -> None:
        _arguments, kind = self._stack.pop(), self._stack.pop()
        self._stack.append(Instance(kind.kind) if isinstance(kind, Instance) else None)

    def _build(self, _: Any) -> None:
        state, made = self._stack.pop(), self._stack[-1]
        if isinstance(made, Instance) and isinstance(state, dict):
            made.state = state
            self.found.instances.append(made)

    def _binpersid(self, _: Any) -> None:
        key = self._stack.pop()
        if isinstance(key, tuple) and len(key) > _STORAGE_KEY and isinstance(key[_STORAGE_KEY], str):
            self.found.storages.append(key[_STORAGE_KEY])
        self._stack.append(None)

    def _blank(self, opcode: pickletools.OpcodeInfo) -> None:
        """Take off and put on what `opcode` would, the values aside."""
        for kind in reversed(opcode.stack_before):
            if kind is pickletools.stackslice:
                self._to_mark()
            elif kind is not pickletools.markobject:
                self._stack.pop()
        self._stack += [None] * len(opcode.stack_after)

    def _to_mark(self) -> list[Any]:
        found = []
        while (value := self._stack.pop()) is not _MARK:
            found.append(value)
        return found[::-1]
