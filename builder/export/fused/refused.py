"""How it is told that a group cannot be merged."""

from collections.abc import Sequence

from builder.errors import ExportError
from builder.spec.pipeline import Wired, WiredStep

APART = "say `fuse: false` in the pipeline, and each step is served as a model of its own"


def not_merged(group: Sequence[WiredStep], wired: Wired, why: str, *, fix: str = APART) -> ExportError:
    """Return the error that names the pipeline, the steps of `group` and the reason."""
    names = ", ".join(step.name for step in group[:-1]) + f" and {group[-1].name}"
    return ExportError(f"{wired.name}: steps {names} cannot be merged: {why}", fix=fix)
