"""Where `trb` keeps what belongs to a repository and must not lie in it."""

from pathlib import Path


def home(repository: Path) -> Path:
    """Return `.trb/<repository name>` beside the repository, on the same filesystem.

    In the repository, Triton would take it for a model.
    """
    root = repository.absolute()
    return root.parent / ".trb" / root.name


def logs(repository: Path) -> Path:
    """Return the folder of exporters' and servers' chatter."""
    return home(repository) / "logs"
