"""What a path on the command line stands for: a repository, a model in one, or a model's config.pbtxt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.errors import RepositoryError
from builder.lint.folder import CONFIG, version_of

_NOT_NAMES: Final = ("", ".", "..")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository, and which of its models are asked for."""

    repository: Path
    models: frozenset[str] | None = None
    """By folder; None: all."""


def places(paths: Iterable[Path]) -> Sequence[Place]:
    """Return the repositories that `paths` stand for, each once, in order.

    Raises:
        RepositoryError: a path is not there, or is neither a folder nor a config.pbtxt.
    """
    found: dict[Path, Place] = {}
    for path in paths:
        place = _place(path)
        real = place.repository.resolve()  # one folder, however it is spelt
        known = found.get(real, place)
        both = (
            None if known.models is None or place.models is None else frozenset(known.models | place.models)
        )
        found[real] = Place(repository=known.repository, models=both)
    return tuple(found.values())


def _place(path: Path) -> Place:
    if path.name == CONFIG and path.is_file():
        path = path.parent
    elif not path.exists():
        raise RepositoryError(
            f"{path} is not there", fix="name a model repository, a model in one, or its config.pbtxt"
        )
    elif not path.is_dir():
        raise RepositoryError(
            f"{path} is a file", fix="name a model repository, a model in one, or its config.pbtxt"
        )
    if _is_model(path):
        named = path if path.name not in _NOT_NAMES else path.resolve()
        return Place(repository=named.parent, models=frozenset({named.name}))
    return Place(repository=path)


def _is_model(path: Path) -> bool:
    """Return whether the folder at `path` is a model itself: a configuration, or versions with files in them."""
    if (path / CONFIG).exists():
        return True
    folders = [entry for entry in path.iterdir() if entry.is_dir()]
    return any(version_of(entry.name) is not None and not _is_model_like(entry) for entry in folders)


def _is_model_like(path: Path) -> bool:
    return (path / CONFIG).exists() or any(
        entry.is_dir() and version_of(entry.name) is not None for entry in path.iterdir()
    )
