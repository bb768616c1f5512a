"""Where versions are made: on the repository's filesystem, out of Triton's sight."""

import uuid
from pathlib import Path

from builder.repository import disk
from builder.repository.faults import said_plainly
from builder.repository.layout import model_folder, staging


def stage(repository: Path, triton_name: str) -> Path:
    """Return a new, empty folder to fill with `config.pbtxt`, `warmup/` (where there is data) and `version/`.

    No two builds share one: a process of a killed build that is still writing does not reach the next build's.

    Raises:
        RepositoryError: Triton would refuse the name, or the folder cannot be written.
    """
    name = model_folder(repository, triton_name).name
    folder = staging(repository) / f"{name}-{uuid.uuid4().hex[:12]}"
    with said_plainly(folder):
        folder.mkdir(parents=True)
    return folder


def recover(repository: Path) -> None:
    """Remove what builds that were killed have left behind. Call it with the lock held.

    Raises:
        RepositoryError: it cannot be removed.
    """
    folder = staging(repository)
    with said_plainly(folder):
        disk.remove(folder)
