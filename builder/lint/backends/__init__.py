"""What each backend makes of a version's files: one module a backend, each with a `look`."""

from collections.abc import Mapping
from typing import Final

from builder.lint.backends import onnxruntime, other, python, pytorch
from builder.lint.seen import Look

LOOKS: Final[Mapping[str, Look]] = {
    "onnxruntime": onnxruntime.look,
    "pytorch": pytorch.look,
    "python": python.look,
}
"""By the name in `backend`; every other backend is `other`."""


def look_for(backend: str) -> Look:
    """Return what looks at the files of `backend`."""
    return LOOKS.get(backend, other.look)
