"""What every export test is given."""

from pathlib import Path

import pytest
import torch

from builder.spec.releases import Release, release


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


@pytest.fixture
def target() -> Release:
    """The release that models are built for unless a test says otherwise."""
    return release("24.10")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder to export into."""
    folder = tmp_path / "version"
    folder.mkdir()
    return folder
