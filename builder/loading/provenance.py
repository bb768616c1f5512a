"""Deterministic facts about where a model came from."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from builder.loading.fingerprint import packages
from builder.shell import run
from builder.spec.artifact import Provenance
from builder.spec.project import Model

_GIT_TIMEOUT_S: Final = 300


def provenance(
    model: Model,
    folder: Path,
    *,
    files: Mapping[str, str],
    outside: Mapping[str, str],
    weights_sha256: str,
) -> Provenance:
    """Return what a version's record says of its source; nothing in it depends on the folder or the time.

    Args:
        model: names the source.
        folder: that of trb.yaml.
        files: sha256 of what was read, by path; only relative ones count.
        outside: sha256 of the user's modules outside `folder`, by module name.
        weights_sha256: the hash of the weights.
    """
    own = {path: hashed for path, hashed in files.items() if not Path(path).is_absolute()}
    lines = [f"{path} {hashed}\n" for path, hashed in sorted(own.items())]
    lines += [f"module {name} {hashed}\n" for name, hashed in sorted(outside.items())]
    return Provenance(
        source=model.source,
        source_sha256=hashlib.sha256("".join(lines).encode()).hexdigest(),
        weights_sha256=weights_sha256,
        git_commit=_git_commit(folder),
        packages=packages(),
    )


def _git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out, `-dirty` where tracked files below `folder` are not as it has them.

    None outside a git checkout, or where git is not installed.
    """
    here = folder.absolute()
    if not any((place / ".git").exists() for place in (here, *here.parents)) or shutil.which("git") is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{commit}-dirty" if changed != "" else commit


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; None when it fails, as it does before the first commit."""
    found = run(["git", *arguments], cwd=folder, timeout_s=_GIT_TIMEOUT_S, check=False)
    return found.stdout.strip() if found.returncode == 0 else None
