"""What the core's verdict depends on beside the config."""

from typing import Final, NamedTuple

AOTI_SINCE: Final = (26, 3)
"""The first release whose core knows the platform torch_aoti."""
INSIDE_SINCE: Final = (26, 2)
"""The first release that reads no labels from outside of the model's folder."""

TURING_SINCE: Final = (25, 1)
"""The first release that needs a GPU of compute capability 7.5; before it was 6.0."""


class Server(NamedTuple):
    """A server of a release on a machine."""

    gpus: int | None = None
    """How many it has; None: not known, and as many as a config asks for."""
    release: tuple[int, ...] = (24, 10)
    """As in `Release.key`."""

    @property
    def has_aoti(self) -> bool:
        """Whether it knows PyTorch's AOTInductor packages."""
        return self.release >= AOTI_SINCE

    @property
    def capability(self) -> float:
        """What it needs of a GPU."""
        return 7.5 if self.release >= TURING_SINCE else 6.0

    @property
    def stays_inside(self) -> bool:
        """Whether it refuses labels from outside of the model's folder."""
        return self.release >= INSIDE_SINCE
