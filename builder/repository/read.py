"""What the repository holds."""

from dataclasses import dataclass
from pathlib import Path

from builder.errors import RepositoryError
from builder.repository.layout import CONFIG, model_folder, version_numbers
from builder.repository.record import read_record
from builder.spec.record import RECORD_NAME, VersionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version in the repository."""

    triton_name: str
    """The model's name in the repository."""
    version: int
    folder: Path
    """Its folder."""
    changed: bool = False
    """Whether this publication made it; False: it was there, with the same bytes."""

    @property
    def config(self) -> Path:
        """The model's config.pbtxt."""
        return self.folder.parent / "config.pbtxt"

    @property
    def is_recorded(self) -> bool:
        """Whether there is a record in its folder; what somebody put there by hand has none."""
        return (self.folder / RECORD_NAME).exists()

    @property
    def record(self) -> VersionRecord:
        """What it was made of, read from its folder.

        Raises:
            RepositoryError: its folder has no record.
        """
        return read_record(self.folder)

    @property
    def is_in_place(self) -> bool:
        """Whether it has the number that it was published under, as far as its record says.

        Raises:
            RepositoryError: its folder has no record.
        """
        return self.record.version in (0, self.version)


def models(repository: Path) -> tuple[str, ...]:
    """Return the names of the models with at least one version, sorted."""
    root = repository.absolute()
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if version_numbers(path)))


def require_a_model(folder: Path) -> None:
    """Check that a server would find a model in `folder`, one written by hand too.

    Raises:
        RepositoryError: it holds none.
    """
    fix = "name the folder that holds the folders of the models"
    if not folder.is_dir():
        raise RepositoryError(f"there is no folder {folder}", fix=fix)
    configs, below = folder.glob(f"*/{CONFIG}"), folder.glob("*/*")
    if not any(configs) and not any(path.name.isdecimal() and path.is_dir() for path in below):
        raise RepositoryError(
            f"{folder} holds no model: no folder in it has a {CONFIG} or a numbered version folder", fix=fix
        )


def versions(repository: Path, triton_name: str) -> tuple[Published, ...]:
    """Return the versions of a model, oldest first; none if it was never built."""
    model = model_folder(repository, triton_name)
    return tuple(
        Published(triton_name=triton_name, version=number, folder=model / str(number))
        for number in version_numbers(model)
    )


def version_folder(repository: Path, triton_name: str, version: int) -> Path:
    """Return the folder of a version.

    Raises:
        RepositoryError: there is none.
    """
    path = model_folder(repository, triton_name) / str(version)
    if not path.is_dir():
        have = ", ".join(str(one.version) for one in versions(repository, triton_name)) or "none"
        raise RepositoryError(f"{repository} has no version {version} of {triton_name}; it has: {have}")
    return path


def latest(repository: Path, triton_name: str) -> Published:
    """Return the newest version of a model.

    Raises:
        RepositoryError: it was never built.
    """
    found = versions(repository, triton_name)
    if not found:
        raise RepositoryError(
            f"{repository} has no version of {triton_name}", fix=f"run `trb build {triton_name}`"
        )
    return found[-1]
