"""The folders beside a model.py that trb wrote: the user's modules, and packages for one version of Python."""

from pathlib import Path
from typing import Final

from builder.lint import python_imports
from builder.lint.seen import Seen

_MARK: Final = "trb_step.py"
_CODE: Final = "code"


def code(seen: Seen) -> tuple[Path, ...]:
    """Return the sources of the user, which the model imports by a name in a text; none beside any other model.py."""
    own = seen.file.parent
    return tuple(sorted((own / _CODE).rglob("*.py"))) if (own / _MARK).exists() else ()


def folders(seen: Seen) -> tuple[Path, ...]:
    """Return what the model puts first on sys.path when the release's Python runs it."""
    own = seen.file.parent
    return (own / _CODE, _packages(seen)) if (own / _MARK).exists() else ()


def beside_for(package: str, seen: Seen) -> str:
    """Return the version of another Python for which `package` stands beside the model; empty where for none."""
    for folder in sorted(seen.file.parent.glob("python3.*")):
        if python_imports.beside(package, (folder,)) is not None:
            return folder.name.removeprefix("python")
    return ""


def is_delivered(path: Path, seen: Seen) -> bool:
    """Return whether `path` is of a package, whose own imports are its affair."""
    return path.is_relative_to(_packages(seen))


def _packages(seen: Seen) -> Path:
    return seen.file.parent / f"python{seen.target.release.python}"
