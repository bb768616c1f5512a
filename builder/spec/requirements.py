"""What packages say that they need, read for the Python of a release or for this one."""

import re
from collections.abc import Iterable, Iterator

from packaging.markers import default_environment
from packaging.requirements import Requirement

from builder.spec.releases import Release


def needed(texts: Iterable[str], extras: set[str], release: Release | None = None) -> Iterator[Requirement]:
    """Yield those of a package's requirements that hold on a Python.

    Args:
        texts: its requirements, as its metadata has them.
        extras: which of its extras are asked for.
        release: whose Python; without it, this one.
    """
    for text in texts:
        one = Requirement(text)
        if one.marker is None or any(
            one.marker.evaluate(_environment(release, extra)) for extra in ("", *extras)
        ):
            yield one


def _environment(release: Release | None, extra: str) -> dict[str, str]:
    here = {key: str(value) for key, value in default_environment().items()} | {"extra": extra}
    if release is None:
        return here
    python = re.match(r"\d+\.\d+", release.python)
    assert python is not None
    return {**here, "python_version": python[0], "python_full_version": f"{python[0]}.0"}
