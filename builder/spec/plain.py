"""Frozen values to plain JSON values and back, by their annotations."""

import dataclasses
import json
import math
import types
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Facts = Callable[[Any], Mapping[str, Any]]
"""Further facts of a dataclass, by name."""


def dump(value: object) -> str:
    """Return `value` as JSON text: keys sorted, one field a line, a newline at the end."""
    return json.dumps(to_plain(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def to_plain(value: Any, *, beside: Facts = lambda _: {}) -> Any:
    """Return `value` with dataclasses as dicts, tuples as lists, and what JSON has no number for as text.

    Args:
        value: frozen values, and what they are made of.
        beside: further facts of a dataclass, such as its verdict; they come before its fields.

    Raises:
        TypeError: it holds something that has no plain form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {**beside(value), **{name: to_plain(item, beside=beside) for name, item in own.items()}}
    if isinstance(value, Mapping):
        return {_key(key): to_plain(item, beside=beside) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [to_plain(item, beside=beside) for item in items]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def from_plain(kind: type[T], value: Any) -> T:
    """Return the `kind` that `value` stands for; fields that are not known are left out.

    Raises:
        TypeError: a field is missing or has another type.
        ValueError: a text is not what it should be.
    """
    return cast("T", _read(kind, value))


def _key(key: object) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(cast("type[Any]", kind), value)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind), value)
    if origin is tuple:
        return _tuple(get_args(kind), value)
    if origin is not None and issubclass_of(origin, Mapping):
        return _mapping(get_args(kind), value)
    if origin is Literal:
        return _literal(get_args(kind), value)
    return _scalar(kind, value)


def issubclass_of(kind: Any, parent: type) -> bool:
    """Return whether `kind` is a class below `parent`; Literal and its like are no classes."""
    return isinstance(kind, type) and issubclass(kind, parent)


def _dataclass(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{kind.__name__} is written as an object, not as {value!r:.60}")
    hints = get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind) if field.init}
    return kind(**{name: _read(hints[name], item) for name, item in value.items() if name in known})


def _union(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return _read(kind, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{value!r:.60} is none of {', '.join(map(str, kinds))}")


def _tuple(kinds: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, list):
        raise TypeError(f"a list is expected, not {value!r:.60}")
    if kinds[-1] is Ellipsis:
        return tuple(_read(kinds[0], item) for item in value)
    return tuple(_read(kind, item) for kind, item in zip(kinds, value, strict=True))


def _mapping(kinds: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"an object is expected, not {value!r:.60}")
    return {_read(kinds[0], key): _read(kinds[1], item) for key, item in value.items()}


def _literal(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"{value!r:.60} is none of {choices}")
    return value


def _scalar(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if issubclass_of(kind, Enum):
        return kind(value)
    if kind is float and type(value) in (int, str):
        return float(value)  # infinity and NaN are written as text
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is no {kind.__name__ if isinstance(kind, type) else kind}")
    return value
