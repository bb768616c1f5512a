"""What an image is to hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from builder.spec.releases import Release

DEFAULT_BASE: Final = "debian:bookworm-slim"
BACKENDS: Final[Mapping[str, str]] = {"onnxruntime": "onnxruntime", "pytorch": "torch"}
"""Our stand-ins, and the package that each runs its models in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an image is made of, before anything is fetched."""

    release: Release
    """The release whose ONNX Runtime and limits it has."""
    base: str = DEFAULT_BASE
    without: frozenset[str] = frozenset()
    """The packages of `BACKENDS` that are left out, their backends with them."""
    requirements: tuple[str, ...] = ()
    """Packages for Python models, as pip takes them."""

    @property
    def backends(self) -> Mapping[str, str]:
        """Those of `BACKENDS` that are in it."""
        return {name: package for name, package in BACKENDS.items() if package not in self.without}
