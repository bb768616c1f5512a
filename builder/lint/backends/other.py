"""Backends whose files are not looked into: only whether they are there."""

from typing import Final

from builder.lint.file_kind import foreign
from builder.lint.seen import Looked, Seen, missing
from builder.rules.refusal import Refusal

KNOWN: Final = {
    "tensorrt": "model.plan",
    "openvino": "model.xml",
    "dali": "model.dali",
    "fil": "",
    "identity": "",
    "square": "",
    "repeat": "",
}
"""The other backends of NVIDIA's images, with the file each looks for; empty: none, or one of several."""


def look(seen: Seen) -> Looked:
    """Return whether the backend is one of the image's, and its file is there."""
    backend = seen.config["backend"]
    if backend not in KNOWN and not _brings_its_own(seen):
        return Looked(
            refusals=(
                Refusal(
                    f"unable to find backend library for backend '{backend}', try specifying runtime on the model "
                    "configuration.",
                    code="C204",
                    place=("backend",),
                ),
            )
        )
    filename = seen.config.get("default_model_filename") or KNOWN.get(backend, "")
    if not filename:
        return Looked()
    relative = f"{seen.version}/{filename}"
    if not (seen.folder.path / relative).exists():
        return Looked(refusals=(missing(seen, f"unable to find '{relative}'"),))
    refusal = foreign(seen.folder.path / relative, relative)
    return Looked(refusals=(refusal,) if refusal else ())


def _brings_its_own(seen: Seen) -> bool:
    """Return whether the library of the backend stands in the model's or the version's folder."""
    library = seen.config.get("runtime") or f"libtriton_{seen.config['backend']}.so"
    return any((folder / library).is_file() for folder in (seen.folder.path, seen.folder.path / seen.version))
