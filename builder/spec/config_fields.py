"""What each release's config.pbtxt does not know yet. The table is data, with its sources: data/config_fields.json."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from builder.spec.releases import Release, releases


@cache
def unknown_to(release: Release) -> Mapping[str, str]:
    """Return the fields, such as `ModelConfig.model_metrics`, and enum values that came after `release`.

    With each stands the first release that has it.
    """
    keys = {one.name: one.key for one in releases()}
    return {name: since for name, since in _table()["since"].items() if keys[since] > release.key}


def new_in(release: Release) -> Sequence[str]:
    """Return the fields and enum values that came with `release`."""
    return [name for name, since in _table()["since"].items() if since == release.name]


def sources() -> Sequence[str]:
    """Return where the table comes from."""
    found: Sequence[str] = _table()["sources"]
    return found


@cache
def _table() -> Mapping[str, Any]:
    text = (files("builder.spec") / "data" / "config_fields.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table
