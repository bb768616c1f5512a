"""Which packages pip puts together for another Python, where those installed here are not all to be had for it."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any, Final

from packaging.utils import canonicalize_name

from builder.spec.releases import Release
from builder.spec.requirements import needed

_IN_EVERY_IMAGE: Final = "numpy"


def chosen_by_pip(
    firm: tuple[str, ...], release: Release, dry_run: Callable[[tuple[str, ...]], CompletedProcess[str]]
) -> tuple[str, ...]:
    """Return `firm` and all that it needs on the Python of `release`, each with its version; nothing if pip finds none.

    Args:
        firm: requirements with their versions.
        release: the target.
        dry_run: what pip reports of installing some requirements. It reads their conditions for the Python that it
            runs on, so that what the other alone needs is found here and asked for besides.
    """
    wanted = firm
    while True:
        done = dry_run(wanted)
        if done.returncode != 0:
            return ()
        found = json.loads(done.stdout)["install"]
        lacking = _lacking(found, release)
        if not lacking:
            return tuple(
                f"{name}=={version}" for name, version in sorted(map(_pin, found)) if name != _IN_EVERY_IMAGE
            )
        wanted = (*wanted, *lacking)


def _pin(item: dict[str, Any]) -> tuple[str, str]:
    return canonicalize_name(item["metadata"]["name"]), item["metadata"]["version"]


def _lacking(found: list[dict[str, Any]], release: Release) -> tuple[str, ...]:
    have = {_IN_EVERY_IMAGE, *(name for name, _ in map(_pin, found))}
    needs = (
        one
        for item in found
        for one in needed(
            item["metadata"].get("requires_dist", ()), {*item.get("requested_extras", ())}, release
        )
    )
    return tuple(
        sorted({f"{one.name}{one.specifier}" for one in needs if canonicalize_name(one.name) not in have})
    )
