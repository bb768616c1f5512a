"""An empty place for a repository."""

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the repository is to be; nothing is there yet."""
    return tmp_path / "project" / "model_repository"
