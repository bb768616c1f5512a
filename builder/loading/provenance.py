"""Deterministic facts about where a model came from."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from builder.errors import TrbError
from builder.loading.fingerprint import packages
from builder.shell import run
from builder.spec.artifact import Provenance
from builder.spec.project import Model

_GIT_TIMEOUT_S = 10


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
    try:
        found = run(["git", "rev-parse", "HEAD"], cwd=folder, timeout_s=_GIT_TIMEOUT_S, check=False)
    except TrbError:  # no git, no commit: provenance is what can be had
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
