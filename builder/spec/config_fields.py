"""What each release's config.pbtxt does not know yet. The table is data, with its sources: data/config_fields.json."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from builder.spec.releases import Release, releases


@cache
def unknown_to(release: Release) -> Mapping[str, str]:
    """Return the fields, such as `ModelConfig.model_metrics`, and enum values that came after `release`.

    With each stands the first release that has it.
    """
    text = (files("builder.spec") / "data" / "config_fields.json").read_text(encoding="utf-8")
    keys = {one.name: one.key for one in releases()}
    return {name: since for name, since in json.loads(text)["since"].items() if keys[since] > release.key}
