"""Where things lie. All but the models is beside the repository's root: in it, Triton takes a folder for a model."""

import re
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError
from builder.spec.names import NAME_RULE, is_model_name
from builder.spec.places import home

CONFIG: Final = "config.pbtxt"
WARMUP: Final = "warmup"
LABELS: Final = "labels_*.txt"
"""The files beside it that it names: of an output's classes."""
STAGED_VERSION: Final = "version"
"""The folder of a stage that becomes the version folder."""

_VERSION: Final = re.compile(r"[1-9][0-9]*")


def model_folder(repository: Path, triton_name: str) -> Path:
    """Return the folder of a model.

    Raises:
        RepositoryError: Triton would refuse the name.
    """
    if not is_model_name(triton_name):
        raise RepositoryError(f"Triton would refuse a model called {triton_name!r}", fix=NAME_RULE)
    return repository.absolute() / triton_name


def lock_file(repository: Path) -> Path:
    """Return the file that one build at a time holds locked."""
    return home(repository) / "lock"


def staging(repository: Path) -> Path:
    """Return the folder of versions being made."""
    return home(repository) / "staging"


def state_file(repository: Path, name: str) -> Path:
    """Return the file that remembers the last build of the spec's model `name`."""
    return home(repository) / "state" / f"{name}.json"


def live_file(repository: Path, triton_name: str) -> Path:
    """Return the append-only file of what was measured live."""
    return home(repository) / "live" / f"{triton_name}.jsonl"


def version_numbers(model: Path) -> tuple[int, ...]:
    """Return the versions in a model's folder as Triton sees them, oldest first; none if there is no such folder."""
    if not model.is_dir():
        return ()
    names = (path.name for path in model.iterdir() if path.is_dir())
    return tuple(sorted(int(name) for name in names if _VERSION.fullmatch(name)))
