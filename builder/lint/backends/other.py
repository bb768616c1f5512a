"""Backends whose files are not looked into: only whether they are there."""

from typing import Final

from builder.lint.file_kind import foreign
from builder.lint.seen import Looked, Seen, missing

FILES: Final = {
    "tensorrt": "model.plan",
    "tensorflow": "model.savedmodel",
    "openvino": "model.xml",
    "dali": "model.dali",
}
"""What each looks for; what the others look for is their own affair."""


def look(seen: Seen) -> Looked:
    """Return whether the file is there, and what it is."""
    if seen.config["backend"] not in FILES:
        return Looked()
    filename = seen.config.get("default_model_filename") or FILES[seen.config["backend"]]
    relative = f"{seen.version}/{filename}"
    if not (seen.folder.path / relative).exists():
        return Looked(refusals=(missing(seen, f"unable to find '{relative}'"),))
    refusal = foreign(seen.folder.path / relative, relative)
    return Looked(refusals=(refusal,) if refusal else ())
