"""Types and signatures as TorchScript writes them in an archive's code."""

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Final

from builder.rules.pytorch import Argument
from builder.rules.pytorch_values import Type

_KINDS: Final = {
    "Tensor": "TensorType",
    "int": "IntType",
    "float": "FloatType",
    "bool": "BoolType",
    "str": "StringType",
    "complex": "ComplexType",
    "number": "NumberType",
    "NoneType": "NoneType",
    "Device": "DeviceObjType",
    "Any": "AnyType",
    "List": "ListType",
    "Dict": "DictType",
    "Tuple": "TupleType",
    "Optional": "OptionalType",
    "Union": "UnionType",
}
_HEADER: Final = re.compile(r"^  def forward\(.*?\) -> .*?:$", re.MULTILINE | re.DOTALL)
_FIELD: Final = re.compile(r"^  (\w+) : (.+)$", re.MULTILINE)
_CLASS: Final = re.compile(r"^class (\w+)\((\w+)\):$", re.MULTILINE)

Classes = Mapping[str, tuple[str, str]]
"""What each class is (`Module`, `NamedTuple`, `Enum`, ...) and its text, by qualified name."""


class NotSignature(ValueError):
    """The code is not what TorchScript writes."""


def classes(module: str, code: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the qualified name, kind and text of every class in the code of `module`."""
    found = list(_CLASS.finditer(code))
    for this, after in zip_longest(found, found[1:]):
        yield f"{module}.{this[1]}", (this[2], code[this.start() : after.start() if after else len(code)])


def signature(text: str, known: Classes) -> tuple[tuple[Argument, ...], Type] | None:
    """Return the arguments of `forward`, self left out, and what it returns; None where a class has none.

    Raises:
        NotSignature: its head is not what TorchScript writes.
    """
    head = _HEADER.search(text)
    if head is None:
        return None
    try:
        (function,) = ast.parse(f"{head[0].strip()} pass").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotSignature(str(error)) from None
    if not isinstance(function, ast.FunctionDef) or function.returns is None:
        raise NotSignature("forward is no function")
    arguments = [(argument.arg, _type(argument.annotation, known)) for argument in function.args.args[1:]]
    return tuple(Argument(name, of.kind, of.text) for name, of in arguments), _type(function.returns, known)


def _type(node: ast.expr | None, known: Classes) -> Type:
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kind = _KINDS.get(node.value.id, "UnknownType")
        return Type(kind, ast.unparse(node), tuple(_type(element, known) for element in inner))
    text = ast.unparse(node) if node is not None else "Tensor"
    kind, definition = known.get(text, ("", ""))
    if kind == "NamedTuple":
        fields = _FIELD.findall(definition)
        return Type(
            "TupleType", text, tuple(_parsed(of, known) for _, of in fields), tuple(n for n, _ in fields)
        )
    return Type(
        "EnumType" if kind == "Enum" else _KINDS.get(text, "ClassType" if "." in text else "UnknownType"),
        text,
    )


def _parsed(text: str, known: Classes) -> Type:
    try:
        return _type(ast.parse(text, mode="eval").body, known)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotSignature(str(error)) from None
