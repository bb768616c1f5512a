"""A report for a machine."""

import json
from typing import Any, Final

from builder.spec.plain import to_plain

_VERDICTS: Final = ("passed", "exit_code")


def render(report: Any) -> str:
    """Return `report` as JSON, keys in the order of its fields, ending with a newline.

    `kind` names the report (build, check, perf). Every value that has a verdict carries it as `passed`. JSON
    has no numbers for what is not finite: those are the strings "inf", "-inf" and "nan".
    """
    kind = type(report).__name__.removesuffix("Report").lower()
    plain = to_plain(report, beside=_verdicts)
    document = {"kind": kind, **plain} if isinstance(plain, dict) else {"kind": kind, "value": plain}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _verdicts(value: Any) -> dict[str, Any]:
    facts = {name: getattr(value, name) for name in _VERDICTS if hasattr(value, name)}
    if hasattr(value, "first_failure"):
        first = value.first_failure
        facts["first_failure"] = None if first is None else first.name
    return {name: fact for name, fact in facts.items() if not callable(fact)}
