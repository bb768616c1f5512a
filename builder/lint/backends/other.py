"""Backends whose files are not looked into: only whether they are there."""

from typing import Final

from builder.lint.file_kind import foreign
from builder.lint.seen import Looked, Seen, missing

FILES: Final = {
    "tensorrt": ("model.plan",),
    "tensorflow": ("model.savedmodel",),
    "openvino": ("model.xml",),
    "dali": ("model.dali", "dali.py"),
}
"""What each looks for, one or another; what the others look for is their own affair."""


def look(seen: Seen) -> Looked:
    """Return whether the file is there, and what it is."""
    if seen.config["backend"] not in FILES:
        return Looked()
    named = seen.config.get("default_model_filename")
    names = (named,) if named else FILES[seen.config["backend"]]
    relative = next(
        (one for name in names if (seen.folder.path / (one := f"{seen.version}/{name}")).exists()), None
    )
    if relative is None:
        sought = f"{seen.version}/{names[0]}"
        return Looked(refusals=(missing(seen, f"unable to find '{sought}'", at=sought),))
    refusal = foreign(seen.folder.path / relative, relative)
    return Looked(refusals=(refusal,) if refusal else ())
