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

_GIT_TIMEOUT_S: Final = 60


def provenance(model: Model, folder: Path, files: Mapping[str, str], weights_sha256: str) -> Provenance:
    """Return what a version's record says of its source; nothing in it depends on the folder or the time."""
    own = {path: digest for path, digest in files.items() if not Path(path).is_absolute()}
    listing = "".join(f"{path} {digest}\n" for path, digest in sorted(own.items()))
    return Provenance(
        source=model.source,
        source_sha256=hashlib.sha256(listing.encode()).hexdigest(),
        weights_sha256=weights_sha256,
        git_commit=_git_commit(folder),
        packages=packages(),
    )


def _git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out; None outside a git checkout, or where git is not installed."""
    here = folder.absolute()
    if not any((place / ".git").exists() for place in (here, *here.parents)) or shutil.which("git") is None:
        return None
    found = run(["git", "rev-parse", "HEAD"], cwd=folder, timeout_s=_GIT_TIMEOUT_S, check=False)
    return found.stdout.strip() or None if found.returncode == 0 else None
