"""A report for a machine."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

_VERDICTS: Final = ("passed", "exit_code")


def render(report: Any) -> str:
    """Return `report` as JSON, keys in the order of its fields, ending with a newline.

    `kind` names the report (build, check, perf). Every value that has a verdict carries it as `passed`. JSON
    has no numbers for what is not finite: those are the strings "inf", "-inf" and "nan".
    """
    kind = type(report).__name__.removesuffix("Report").lower()
    plain = as_plain(report)
    document = {"kind": kind, **plain} if isinstance(plain, dict) else {"kind": kind, "value": plain}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_plain(value: Any) -> Any:
    """Return `value` in dicts, lists, strings, numbers, bools and None.

    Raises:
        TypeError: it holds something that has no plain form.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _verdicts(value) | {
            field.name: as_plain(getattr(value, field.name)) for field in fields(value)
        }
    if isinstance(value, Enum):
        return as_plain(value.value)
    if isinstance(value, Mapping):
        return {str(as_plain(key)): as_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [as_plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _verdicts(value: Any) -> dict[str, Any]:
    facts = {name: getattr(value, name) for name in _VERDICTS if hasattr(value, name)}
    if hasattr(value, "first_failure"):
        first = value.first_failure
        facts["first_failure"] = None if first is None else first.name
    return {name: fact for name, fact in facts.items() if not callable(fact)}
