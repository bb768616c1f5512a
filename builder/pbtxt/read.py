"""A config.pbtxt as a value with the place of each part, or every mistake that keeps Triton from reading it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.pbtxt import enums, scalars, spelling
from builder.pbtxt.schema import schema
from builder.pbtxt.tree import Block, Field, PbtxtError, Scalar, parse

Path = tuple[str | int, ...]
"""A part of a config: field names, positions in lists, keys of maps, such as `("input", 0, "dims")`."""

_PACKAGE: Final = "inference."


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
    overridden: tuple[tuple[Path, Span], ...] = ()
    """Entries of maps whose key comes again further down, where only the last counts."""
    mistakes: tuple[Mistake, ...] = ()


def read(text: str, *, unknown: Mapping[str, str] | None = None) -> ReadConfig:
    """Return what `text` says.

    Args:
        text: that of a config.pbtxt; bytes that are no UTF-8 as lone surrogates, which Triton takes in texts.
        unknown: fields and enum values that the release's schema does not have, as
            `ModelConfig.model_metrics`, each with the first release that does.
    """
    try:
        tree = parse(text)
    except PbtxtError as error:
        span = Span(error.offset, error.offset + 1)
        return ReadConfig(value=None, mistakes=(Mistake(span=span, code="C101", message=error.message),))
    walk = _Walk(unknown or {})
    value = walk.block(tree, schema().ModelConfig.DESCRIPTOR, ())
    return ReadConfig(
        value=None if walk.mistakes else value,
        places=walk.places,
        overridden=tuple(walk.overridden),
        mistakes=tuple(walk.mistakes),
    )


class _Walk:
    """Goes through a tree beside its descriptor, and keeps places and mistakes."""

    def __init__(self, unknown: Mapping[str, str]) -> None:
        self.places: dict[Path, Span] = {}
        self.overridden: list[tuple[Path, Span]] = []
        self.mistakes: list[Mistake] = []
        self._unknown = unknown

    def block(self, block: Block, descriptor: Any, path: Path) -> dict[str, Any]:
        """Return the message that `block` is; what an entry of a map holds is at the path of the entry itself."""
        found: dict[str, Any] = {}
        chosen: dict[str, str] = {}
        for one in block.fields:
            known = descriptor.fields_by_name.get(one.name)
            if known is None or _full_name(known) in self._unknown:
                self._unknown_field(one, descriptor)
                continue
            self._once(one, known, found, chosen)
            self.places.setdefault((*path, one.name), Span(one.start, one.end))
            self._field(one, known, path if _is_entry(descriptor) else (*path, one.name), found)
        return found

    def _once(self, one: Field, known: Any, found: Mapping[str, Any], chosen: dict[str, str]) -> None:
        if not known.is_repeated and one.name in found and _is_set(known, found[one.name]):
            self._mistake("C105", one, f"`{one.name}` is given a second time; it may be given once")
        if known.containing_oneof is not None:
            first = chosen.setdefault(known.containing_oneof.name, one.name)
            if first != one.name:
                self._mistake(
                    "C105", one, f"`{one.name}` cannot stand beside `{first}`: one of the two, not both"
                )

    def _field(self, one: Field, known: Any, path: Path, found: dict[str, Any]) -> None:
        self._shape(one, known)
        if _is_map(known):
            entries = found.setdefault(one.name, {})
            entries.update(self._entry(value, known, path) for value in one.values)
        elif known.is_repeated:
            several = found.setdefault(one.name, [])
            for value in one.values:
                several.append(self._one(value, known, (*path, len(several))))
        else:
            for value in one.values:
                found[one.name] = self._one(value, known, path)

    def _shape(self, one: Field, known: Any) -> None:
        """Check what stands between the name and the values."""
        if one.is_list and not known.is_repeated:
            self._mistake("C104", one, f"`{one.name}` takes one value, not a list")
        elif known.message_type is None and not one.has_colon and not _starts_block(one):
            self._mistake("C101", one, f"expected `:` after `{one.name}`")

    def _one(self, value: Scalar | Block, known: Any, path: Path) -> Any:
        self.places.setdefault(path, Span(value.start, value.end))
        if isinstance(value, Scalar):
            return self._scalar(value, known)
        if known.message_type is not None:
            return self.block(value, known.message_type, path)
        self._mistake("C104", value, f"`{known.name}` takes {_wanted(known)}, not a block")
        return None

    def _entry(self, value: Scalar | Block, known: Any, path: Path) -> tuple[str, Any]:
        """Return the key, as text, and the value of one entry of a map."""
        parts = known.message_type.fields_by_name
        key = _key(value, parts["key"])
        self._override((*path, key))
        found = self._one(value, known, (*path, key)) or {}
        return key, found.get("value", {} if parts["value"].message_type is not None else "")

    def _override(self, path: Path) -> None:
        """Forget the entry at `path`, if there was one: another has its key."""
        if path in self.places:
            self.overridden.append((path, self.places[path]))
            for place in [place for place in self.places if place[: len(path)] == path]:
                del self.places[place]

    def _scalar(self, value: Scalar, known: Any) -> Any:
        if known.message_type is not None:
            self._mistake("C104", value, f"`{known.name}` takes a block in {{ }}, not {value.text}")
            return None
        try:
            if known.enum_type is not None:
                return enums.read(value, known, self._unknown)
            return scalars.read(value, known)
        except scalars.MisreadError as error:
            too_new = isinstance(error, enums.TooNewError)
            code = "C106" if too_new else "C103" if known.enum_type is not None else "C104"
            self._mistake(code, value, error.message, error.right)
            return None

    def _unknown_field(self, one: Field, descriptor: Any) -> None:
        span = Span(one.start, one.start + len(one.name))
        known = descriptor.fields_by_name.get(one.name)
        if known is not None:
            since = self._unknown[_full_name(known)]
            message = f"`{one.name}` is not known before Triton {since}"
            self.mistakes.append(Mistake(span=span, code="C106", message=message))
            return
        fields = descriptor.fields_by_name.items()
        names = [name for name, field in fields if _full_name(field) not in self._unknown]
        right = spelling.meant(one.name, names)
        near = right or spelling.nearest(one.name, names)
        owner = "an entry of a map" if _is_entry(descriptor) else descriptor.name
        hint = f"did you mean `{near}`?" if near else f"it has {', '.join(names)}"
        message = f"`{one.name}` is no field of {owner}; {hint}"
        self.mistakes.append(Mistake(span=span, code="C102", message=message, right=right))

    def _mistake(self, code: str, at: Field | Scalar | Block, message: str, right: str = "") -> None:
        self.mistakes.append(Mistake(span=Span(at.start, at.end), code=code, message=message, right=right))


def _full_name(known: Any) -> str:
    return str(known.full_name).removeprefix(_PACKAGE)


def _is_set(known: Any, value: Any) -> bool:
    """Return whether protobuf can tell `value` from none: a zero outside of oneofs and maps may be given again."""
    if known.has_presence or _is_entry(known.containing_type):
        return True
    if known.enum_type is None:
        return bool(value)
    return value not in (0, known.enum_type.values_by_number[0].name)


def _is_entry(descriptor: Any) -> bool:
    return bool(descriptor.GetOptions().map_entry)


def _is_map(known: Any) -> bool:
    return known.message_type is not None and _is_entry(known.message_type)


def _starts_block(one: Field) -> bool:
    """Return whether the mistake is the block, rather than the missing colon before it."""
    return not one.is_list and isinstance(one.values[0], Block)


def _wanted(known: Any) -> str:
    if known.enum_type is not None:
        return "a value of its enum"
    return scalars.wanted(known)


def _key(value: Scalar | Block, known: Any) -> str:
    """Return the key of an entry; that of an entry without one, or with one that is none, is the default."""
    default = "" if known.cpp_type == known.CPPTYPE_STRING else "0"
    fields = value.fields if isinstance(value, Block) else ()
    given = next((one.values[0] for one in fields if one.name == "key" and one.values), None)
    if not isinstance(given, Scalar):
        return default
    try:
        return str(scalars.read(given, known))
    except scalars.MisreadError:
        return default


def lines(text: str) -> Iterator[int]:
    """Yield the offset at which each line of `text` starts."""
    yield 0
    for found in re.finditer(r"\n", text):
        yield found.end()
