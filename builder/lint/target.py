"""What the repository has to load in."""

from collections.abc import Mapping
from dataclasses import dataclass

from builder.rules.core import Server
from builder.spec.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A release, and what is known of the machine it runs on."""

    release: Release
    gpus: int | None = None
    """How many GPUs the server has; None: not known, so that nothing is concluded from it."""
    packages: Mapping[str, bool] | None = None
    """Which Python packages the image has, of those that were asked for; None: no image was asked."""

    @property
    def server(self) -> Server:
        """The same, as the rules of the core take it."""
        return Server(gpus=self.gpus, release=self.release.key)
