"""The files in a model's folder, as far as the core reads them itself."""

from typing import Protocol

from builder.rules.refusal import Place, Refusal


class Files(Protocol):
    """Asked by path in the model's folder."""

    def size(self, path: str) -> int | None:
        """Return how many bytes the file has; None where there is none."""

    def is_folder(self, path: str) -> bool:
        """Return whether a folder stands there."""

    def is_inside(self, path: str) -> bool:
        """Return whether `path` leads nowhere outside of the model's folder."""

    def content(self, path: str) -> bytes | None:
        """Return what the file holds; None where that is a lot, or where it is none but a pipe."""


def unread(path: str, files: Files, *, code: str, place: Place) -> Refusal | None:
    """Return why the core cannot read a file that the config names; None where it can."""
    if files.is_folder(path):
        return Refusal(
            f"{path} is a folder; a server that reads it as a file ends, with all its models",
            code=code,
            place=place,
        )
    if files.size(path) is None:
        return Refusal(
            f"failed to open text file for read {path}: No such file or directory",
            code=code,
            place=place,
            fix=f"put it at {path} in the model's folder",
        )
    return None
