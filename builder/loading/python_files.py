"""The data files of a Python function."""

from pathlib import Path

from builder.errors import SourceError
from builder.spec.project import Model


def data_files(model: Model, folder: Path) -> dict[str, Path]:
    """Return the files that `python: files` names, folders with all that is in them, by their paths from `folder`.

    Raises:
        SourceError: one is not there.
    """
    found: dict[str, Path] = {}
    for name in model.python.files:
        path = folder / name
        if not path.exists():
            raise SourceError(f"python.files: there is no {path}", fix="write it first, or correct trb.yaml")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found |= {one.relative_to(folder).as_posix(): one for one in inside if one.is_file()}
    return dict(sorted(found.items()))
