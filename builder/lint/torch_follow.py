"""What `forward` makes of tensors of given types and shapes: its code is followed, and nothing of it is run.

Only what happens at every request counts. A condition that is not known leaves open what its branches write, and a
loop what it writes; whatever else is not understood ends the following, and then nothing is said of the model.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from builder.lint.torch_operators import apply, is_followed
from builder.lint.torch_pickle import Instance
from builder.lint.torch_tensors import UNKNOWN, Fails, Number
from builder.rules.pytorch_results import Tensor

__all__ = ["Fails", "Program", "results"]

_MOST_CODE: Final = 1 << 20
_MOST_STEPS: Final = 50_000
_MOST_DEPTH: Final = 40
_ROOTS: Final = ("torch", "ops", "CONSTANTS", "__torch__")
_CHANGES: Final = frozenset(
    {
        "append",
        "extend",
        "insert",
        "pop",
        "clear",
        "remove",
        "reverse",
        "_set_item",
        "Delete",
        "update",
        "setdefault",
    }
)
"""Operators that change a list or a dict."""


_RAISES: Final = "the module raises an exception of its own"


class _Lost(Exception):
    """The code does something that is not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A TorchScript module, taken apart."""

    code: Mapping[str, str]
    """The text of each module, by a name such as `__torch__.torch.nn.functional`."""
    root: Any
    """The module object, with the others in its state."""
    constants: Any
    """What the code calls `CONSTANTS.c0` and so on."""


def results(program: Program, arguments: Sequence[Any]) -> tuple[Tensor | None, ...]:
    """Return the tensors that `forward` returns, as far as they are known; empty where nothing is.

    Args:
        program: the module.
        arguments: those of `forward`, self left out: tensors, or dicts of tensors by name; None for unknown ones.

    Raises:
        Fails: every such call fails.
    """
    try:
        found = _Machine(program).method(program.root, "forward", [_known(one) for one in arguments])
    except (_Lost, RecursionError, SyntaxError, ValueError, MemoryError, OverflowError):
        return ()
    several = found if isinstance(found, tuple) and not isinstance(found, Tensor) else (found,)
    return tuple(one if isinstance(one, Tensor) else None for one in several)


def _known(argument: Any) -> Any:
    return UNKNOWN if argument is None else argument


@dataclass(frozen=True, slots=True)
class _Named:
    """A function or class by its name, such as `__torch__.torch.nn.functional.relu`."""

    name: str


Frame = dict[str, Any]


class _Machine:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._modules: dict[str, Mapping[str, ast.stmt]] = {}
        self._steps = 0
        self._depth = 0

    def method(
        self, owner: Any, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what a method of an object returns."""
        definition = self._definition(owner.kind) if isinstance(owner, Instance) else None
        if not isinstance(definition, ast.ClassDef):
            raise _Lost
        for one in definition.body:
            if isinstance(one, ast.FunctionDef) and one.name == name:
                return self._call(one, [owner, *arguments], keywords or {})
        raise _Lost

    def _definition(self, name: str) -> ast.stmt | None:
        module, _, own = name.rpartition(".")
        if module not in self._modules:
            text = self._program.code.get(module, "")
            if len(text) > _MOST_CODE:
                raise _Lost
            self._modules[module] = {
                one.name: one
                for one in ast.parse(text).body
                if isinstance(one, ast.FunctionDef | ast.ClassDef)
            }
        return self._modules[module].get(own)

    def _call(self, function: ast.FunctionDef, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        names = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
        frame: Frame = dict.fromkeys(names, UNKNOWN)
        defaults = function.args.defaults
        for one, default in zip(
            function.args.args[len(function.args.args) - len(defaults) :], defaults, strict=True
        ):
            frame[one.arg] = self._value(default, {})
        frame |= dict(zip(names, arguments, strict=False)) | dict(keywords)
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise _Lost
        returned = self._run(function.body, frame)
        self._depth -= 1
        return returned[0] if returned else None

    def _run(self, body: Sequence[ast.stmt], frame: Frame) -> tuple[Any] | None:
        """Return what is returned, in a tuple; None where the statements end without."""
        for one in body:
            self._step()
            if isinstance(one, ast.Return):
                return (self._value(one.value, frame) if one.value else None,)
            if isinstance(one, ast.If):
                returned = self._branch(one, frame)
                if returned is not None:
                    return returned
            else:
                self._statement(one, frame)
        return None

    def _branch(self, one: ast.If, frame: Frame) -> tuple[Any] | None:
        truth = self._value(one.test, frame)
        if isinstance(truth, bool):
            return self._run(one.body if truth else one.orelse, frame)
        _leave_open([*one.body, *one.orelse], frame)
        return None

    def _statement(self, one: ast.stmt, frame: Frame) -> None:
        match one:
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                _assign(target, self._value(value, frame), frame)
            case ast.Expr(value=value):
                self._value(value, frame)
            case ast.For() | ast.While():
                _leave_open([one], frame)
            case ast.Pass():
                pass
            case _:
                raise _Lost

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise _Lost

    def _value(self, node: ast.expr, frame: Frame) -> Any:
        self._step()
        found = self._FOUND.get(type(node))
        return UNKNOWN if found is None else found(self, node, frame)

    def _negative(self, node: ast.UnaryOp, frame: Frame) -> Any:
        value = self._value(node.operand, frame)
        is_known = isinstance(node.op, ast.USub) and isinstance(value, int | float)
        return -value if is_known else UNKNOWN

    def _choice(self, node: ast.IfExp, frame: Frame) -> Any:
        truth = self._value(node.test, frame)
        if not isinstance(truth, bool):
            return UNKNOWN
        return self._value(node.body if truth else node.orelse, frame)

    def _several(self, node: ast.Tuple | ast.List, frame: Frame) -> Any:
        values = [self._value(one, frame) for one in node.elts]
        return values if isinstance(node, ast.List) else tuple(values)

    def _part(self, node: ast.Subscript, frame: Frame) -> Any:
        return _element(self._value(node.value, frame), self._value(node.slice, frame))

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        path = _path(node, frame)
        if path.startswith("CONSTANTS.c"):
            return self._constant(path.removeprefix("CONSTANTS.c"))
        if path:
            return _Named(path)
        owner = self._value(node.value, frame)
        if not isinstance(owner, Instance):
            return UNKNOWN
        return owner.state.get(node.attr, UNKNOWN)

    def _constant(self, number: str) -> Any:
        known = self._program.constants
        if not isinstance(known, tuple) or not number.isdecimal() or int(number[:9]) >= len(known):
            return UNKNOWN
        value = known[int(number)]
        return Number(value.type) if isinstance(value, Tensor) and value.shape == () else value

    def _called(self, node: ast.Call, frame: Frame) -> Any:
        path = _path(node.func, frame)
        if isinstance(node.func, ast.Name) and node.func.id not in frame:
            return self._word(node.func.id, node.args, frame)
        arguments = [self._value(one, frame) for one in node.args]
        keywords = {one.arg: self._value(one.value, frame) for one in node.keywords if one.arg}
        if isinstance(node.func, ast.Attribute) and not path:
            return self.method(self._value(node.func.value, frame), node.func.attr, arguments, keywords)
        function = _Named(path) if path else self._value(node.func, frame)
        if not isinstance(function, _Named):
            raise _Lost
        return self._function(function.name, arguments, keywords)

    def _word(self, name: str, given: Sequence[ast.expr], frame: Frame) -> Any:
        """Return what one of TorchScript's own words makes of its arguments."""
        values = [self._value(one, frame) for one in given]
        match name, values:
            case ("annotate" | "unchecked_cast", [_, value]):
                return value
            case ("getattr", [Instance() as owner, str(attribute)]):
                return owner.state.get(attribute, UNKNOWN)
            case ("int" | "float" | "bool", [int() | float() as value]):
                return {"int": int, "float": float, "bool": bool}[name](value)
            case _:
                return UNKNOWN

    def _function(self, name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        library, _, own = name.partition(".")
        if library == "torch" or name.startswith("ops.aten."):
            own = own.removeprefix("aten.")
            if own in _CHANGES or not is_followed(own):
                raise _Lost
            return apply(own, arguments, keywords)
        if name == "ops.prim.RaiseException":
            raise Fails(arguments[0] if arguments and isinstance(arguments[0], str) else _RAISES)
        if library == "ops":
            return apply(own, arguments, keywords)
        definition = self._definition(name)
        if isinstance(definition, ast.FunctionDef):
            return self._call(definition, arguments, keywords)
        if isinstance(definition, ast.ClassDef) and _is_named_tuple(definition):
            return tuple(arguments)
        raise _Lost

    _FOUND: Final[Mapping[type[ast.expr], Callable[["_Machine", Any, Frame], Any]]] = {
        ast.Constant: lambda _, node, __: node.value,
        ast.Name: lambda _, node, frame: frame.get(node.id, UNKNOWN),
        ast.Tuple: _several,
        ast.List: _several,
        ast.UnaryOp: _negative,
        ast.IfExp: _choice,
        ast.Subscript: _part,
        ast.Attribute: _attribute,
        ast.Call: _called,
    }
    """How the value of each kind of expression is found."""


def _is_named_tuple(definition: ast.ClassDef) -> bool:
    return [ast.unparse(one) for one in definition.bases] == ["NamedTuple"]


def _path(node: ast.expr, frame: Mapping[str, Any]) -> str:
    """Return the name of what belongs to torch or to the archive's code; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not parts or not isinstance(node, ast.Name) or node.id not in _ROOTS or node.id in frame:
        return ""
    return ".".join((node.id, *reversed(parts)))


def _assign(target: ast.expr, value: Any, frame: Frame) -> None:
    match target:
        case ast.Name(id=name):
            frame[name] = value
        case ast.Tuple(elts=elements):
            is_known = (
                isinstance(value, tuple | list)
                and not isinstance(value, Tensor)
                and len(value) == len(elements)
            )
            for position, element in enumerate(elements):
                _assign(element, value[position] if is_known else UNKNOWN, frame)
        case _:
            raise _Lost


def _element(whole: Any, index: Any) -> Any:
    """Return one element of a list, a tuple or a dict."""
    if isinstance(whole, dict) and isinstance(index, str):
        if index not in whole:
            raise Fails(f"KeyError: {index}")
        return whole[index]
    if isinstance(whole, list | tuple) and not isinstance(whole, Tensor) and type(index) is int:
        if not -len(whole) <= index < len(whole):
            raise Fails("IndexError: list index out of range")
        return whole[index]
    return UNKNOWN


def _leave_open(body: Sequence[ast.stmt], frame: Frame) -> None:
    """Take what the statements write, which may or may not happen, for unknown."""
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Return() | ast.Break() | ast.Continue():
                    raise _Lost
                case ast.Call(func=ast.Attribute(attr=name)) if name in _CHANGES or not is_followed(name):
                    raise _Lost
                case ast.Assign(targets=targets):
                    for target in targets:
                        _open(target, frame)
                case ast.AnnAssign(target=target) | ast.For(target=target):
                    _open(target, frame)
                case _:
                    pass


def _open(target: ast.expr, frame: Frame) -> None:
    for node in ast.walk(target):
        if isinstance(node, ast.Attribute | ast.Subscript):
            raise _Lost
        if isinstance(node, ast.Name):
            frame[node.id] = UNKNOWN
