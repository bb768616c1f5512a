"""A config.pbtxt as a value with the place of each part, or every mistake that keeps Triton from reading it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.pbtxt import spelling
from builder.pbtxt.schema import schema
from builder.pbtxt.tree import Block, Field, PbtxtError, Scalar, parse

Path = tuple[str | int, ...]
"""A part of a config: field names, positions in lists, keys of maps, such as `("input", 0, "dims")`."""

_TRUTHS: Final = ("true", "True", "t", "1", "false", "False", "f", "0")
_INTEGER: Final = re.compile(r"-?(0[xX][0-9a-fA-F]+|\d+)")
_GOOGLES: Final = re.compile(r"(?P<line>\d+):(?P<column>\d+) : (?P<said>.*)", re.DOTALL)
_INTEGERS: Final = {1: (-(2**31), 2**31), 2: (-(2**63), 2**63), 3: (0, 2**32), 4: (0, 2**64)}
"""The range of protobuf's cpp types; see CPPTYPE in google/protobuf/descriptor.h."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text, from `start` up to `end`, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A place at which Triton stops reading."""

    span: Span
    code: str
    """What `trb lint` calls this kind of mistake."""
    message: str
    right: str = ""
    """What the span should say, where there is one right answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig:
    """What a text says."""

    value: Mapping[str, Any] | None
    """As Triton's own JSON of a config: proto field names, enums as strings; None: Triton cannot read it."""
    places: Mapping[Path, Span] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()


def read(text: str, *, unknown: Mapping[str, str] | None = None) -> ReadConfig:
    """Return what `text` says.

    Args:
        text: that of a config.pbtxt.
        unknown: fields and enum values that the release's schema does not have, as
            `ModelConfig.model_metrics`, each with the first release that does.
    """
    try:
        tree = parse(text)
    except PbtxtError as error:
        return ReadConfig(
            value=None,
            mistakes=(
                Mistake(span=Span(error.offset, error.offset + 1), code="C101", message=error.message),
            ),
        )
    walk = _Walk(unknown or {})
    walk.block(tree, schema().ModelConfig.DESCRIPTOR, ())
    value = None if walk.mistakes else _value(text, walk)
    return ReadConfig(value=value, places=walk.places, mistakes=tuple(walk.mistakes))


def _value(text: str, walk: "_Walk") -> Mapping[str, Any] | None:
    """Return what Google's own parser reads; it has the last word."""
    from google.protobuf import json_format, text_format

    message = schema().ModelConfig()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        walk.mistakes.append(_googles(text, str(error)))
        return None
    value: Mapping[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return value


def _googles(text: str, said: str) -> Mistake:
    found = _GOOGLES.match(said)
    if found is None:
        return Mistake(span=Span(0, 0), code="C101", message=said)
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: int(found["line"]) - 1])) + int(found["column"]) - 1
    return Mistake(span=Span(start, start + 1), code="C101", message=found["said"])


class _Walk:
    """Goes through a tree beside its descriptor, and keeps places and mistakes."""

    def __init__(self, unknown: Mapping[str, str]) -> None:
        self.places: dict[Path, Span] = {}
        self.mistakes: list[Mistake] = []
        self._unknown = unknown

    def block(self, block: Block, descriptor: Any, path: Path) -> None:
        counts: dict[str, int] = {}
        chosen: dict[str, str] = {}
        for one in block.fields:
            known = descriptor.fields_by_name.get(one.name)
            if known is None or f"{descriptor.name}.{one.name}" in self._unknown:
                self._unknown_field(one, descriptor)
                continue
            self._once(one, known, counts, chosen)
            self._field(one, known, (*path, one.name), counts)

    def _once(self, one: Field, known: Any, counts: Mapping[str, int], chosen: dict[str, str]) -> None:
        if not _is_list(known) and one.name in counts:
            self._mistake("C105", one, f"`{one.name}` is given a second time; it may be given once")
        if known.containing_oneof is not None:
            first = chosen.setdefault(known.containing_oneof.name, one.name)
            if first != one.name:
                self._mistake(
                    "C105", one, f"`{one.name}` cannot stand beside `{first}`: one of the two, not both"
                )

    def _field(self, one: Field, known: Any, path: Path, counts: dict[str, int]) -> None:
        if not _is_list(known) and len(one.values) != 1:
            self._mistake("C104", one, f"`{one.name}` takes one value, not a list")
        self.places.setdefault(path, Span(one.start, one.end))
        for value in one.values:
            position = counts.get(one.name, 0)
            counts[one.name] = position + 1
            at = (*path, self._key(value, position, known)) if _is_list(known) else path
            self.places.setdefault(at, Span(value.start, value.end))
            self._one(value, known, at)
        counts.setdefault(one.name, 0)

    def _key(self, value: Scalar | Block, position: int, known: Any) -> str | int:
        if not _is_map(known) or isinstance(value, Scalar):
            return position
        keys = [one.values[0] for one in value.fields if one.name == "key" and one.values]
        return _unquoted(keys[0].text) if keys and isinstance(keys[0], Scalar) else position

    def _one(self, value: Scalar | Block, known: Any, path: Path) -> None:
        if known.message_type is not None:
            if isinstance(value, Scalar):
                self._mistake("C104", value, f"`{known.name}` takes a block in {{ }}, not {value.text}")
            elif _is_map(known):
                self._entry(value, known, path)
            else:
                self.block(value, known.message_type, path)
        elif isinstance(value, Block):
            self._mistake("C104", value, f"`{known.name}` takes {_wanted(known)}, not a block")
        else:
            self._scalar(value, known)

    def _entry(self, block: Block, known: Any, path: Path) -> None:
        """Check one entry of a map; its value is at the path of the entry itself."""
        for one in block.fields:
            part = known.message_type.fields_by_name.get(one.name)
            if part is None:
                self._mistake(
                    "C102", one, f"an entry of `{known.name}` has `key` and `value`, no `{one.name}`"
                )
            elif one.values:
                self._one(one.values[0], part, path)

    def _scalar(self, value: Scalar, known: Any) -> None:
        if known.enum_type is not None:
            self._enum(value, known)
        elif not _fits(value, known):
            self._mistake(
                "C104",
                value,
                f"`{known.name}` takes {_wanted(known)}, not {value.text}",
                _repaired(value, known),
            )

    def _enum(self, value: Scalar, known: Any) -> None:
        names = [name for name in known.enum_type.values_by_name if name not in self._unknown]
        if value.text in names or (value.kind == "number" and _INTEGER.fullmatch(value.text)):
            return
        if value.text in self._unknown:
            self._mistake(
                "C106", value, f"`{value.text}` is not known before Triton {self._unknown[value.text]}"
            )
            return
        given = _unquoted(value.text)
        right = spelling.meant_value(given, names)
        near = right or spelling.nearest(given.upper(), names, cutoff=0.75)
        hint = f"; did you mean {near}?" if near else f"; it is one of {', '.join(names)}"
        self._mistake("C103", value, f"{value.text} is no value of `{known.name}`{hint}", right)

    def _unknown_field(self, one: Field, descriptor: Any) -> None:
        since = self._unknown.get(f"{descriptor.name}.{one.name}")
        if since is not None:
            self._mistake("C106", one, f"`{one.name}` is not known before Triton {since}")
            return
        names = [n for n in descriptor.fields_by_name if f"{descriptor.name}.{n}" not in self._unknown]
        right = spelling.meant(one.name, names)
        near = right or spelling.nearest(one.name, names)
        hint = f"did you mean `{near}`?" if near else f"it has {', '.join(names)}"
        self.mistakes.append(
            Mistake(
                span=Span(one.start, one.start + len(one.name)),
                code="C102",
                message=f"`{one.name}` is no field of {descriptor.name}; {hint}",
                right=right,
            )
        )

    def _mistake(self, code: str, at: Field | Scalar | Block, message: str, right: str = "") -> None:
        self.mistakes.append(Mistake(span=Span(at.start, at.end), code=code, message=message, right=right))


def _is_list(known: Any) -> bool:
    return bool(known.is_repeated)


def _is_map(known: Any) -> bool:
    return known.message_type is not None and bool(known.message_type.GetOptions().map_entry)


def _fits(value: Scalar, known: Any) -> bool:
    if known.cpp_type == known.CPPTYPE_STRING:
        return value.kind == "string"
    if known.cpp_type == known.CPPTYPE_BOOL:
        return value.text in _TRUTHS
    if known.cpp_type in _INTEGERS:
        low, high = _INTEGERS[known.cpp_type]
        return _INTEGER.fullmatch(value.text) is not None and low <= _number(value.text) < high
    return value.kind == "number" or value.text.lower().lstrip("-") in ("inf", "infinity", "nan")


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    base = (
        16
        if digits[:2].lower() == "0x"
        else 8
        if len(digits) > 1 and digits[0] == "0" and digits.isdecimal()
        else 10
    )
    try:
        return int(digits, base) * (-1 if text.startswith("-") else 1)
    except ValueError:
        return 2**70  # 089: no octal number, and so none at all


def _wanted(known: Any) -> str:
    if known.cpp_type == known.CPPTYPE_STRING:
        return "text in quotes"
    if known.cpp_type == known.CPPTYPE_BOOL:
        return "true or false"
    if known.cpp_type not in _INTEGERS:
        return "a number"
    low, high = _INTEGERS[known.cpp_type]
    return f"a whole number from {low} to {high - 1}"


def _repaired(value: Scalar, known: Any) -> str:
    """Return the value in the form that the field takes, where it is only quoted wrongly."""
    if known.cpp_type == known.CPPTYPE_STRING and value.kind == "name":
        return f'"{value.text}"'
    bare = Scalar(_unquoted(value.text), "number", value.start, value.end)
    if known.cpp_type != known.CPPTYPE_STRING and value.kind == "string" and _fits(bare, known):
        return bare.text
    if known.cpp_type == known.CPPTYPE_BOOL and value.text.lower() in ("true", "false"):
        return value.text.lower()
    return ""


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] in ("'", '"') else text


def lines(text: str) -> Iterator[int]:
    """Yield the offset at which each line of `text` starts."""
    yield 0
    for found in re.finditer(r"\n", text):
        yield found.end()
