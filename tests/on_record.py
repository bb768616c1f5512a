"""Texts on record and texts made now: a test that finds them apart shows the diff, whole."""

from collections.abc import Mapping
from difflib import unified_diff

import pytest


def require_same(on_record: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Fail with the diff of texts by name, one that is not there being empty; `make golden` writes them anew."""
    lines = [
        line
        for name in sorted({*on_record, *now})
        for line in unified_diff(
            on_record.get(name, "").splitlines(),
            now.get(name, "").splitlines(),
            f"{name} on record",
            f"{name} now",
            lineterm="",
        )
    ]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
