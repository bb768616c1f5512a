"""What the repository has to load in."""

from dataclasses import dataclass

from builder.spec.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A release, and what is known of the machine it runs on."""

    release: Release
    gpus: int | None = None
    """How many GPUs the server has; None: not known, so that nothing is concluded from it."""
