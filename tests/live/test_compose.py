"""`trb compose` on a repository that was built: what the programs that read its files make of them."""

import os
import shutil
from pathlib import Path

import pytest

from tests.live.conftest import ROOT, Trb
from tests.on_record import require_same

SHOWN = ROOT / "docker"


@pytest.fixture(scope="session")
def built_digits(trb: Trb, trained_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as far as the example digits goes, built."""
    top = tmp_path_factory.mktemp("checkout")
    folder = shutil.copytree(trained_digits, top / "examples" / "digits")
    trb("build", "-j", "2", cwd=folder)
    return top


@pytest.fixture(scope="session")
def composed_digits(trb: Trb, built_digits: Path) -> Path:
    """The folder of its compose.yaml."""
    trb("compose", "-f", "examples/digits/trb.yaml", "--out", "docker", cwd=built_digits)
    return built_digits / "docker"


def test_the_golden_stack_is_that_of_the_example_digits(composed_digits: Path) -> None:
    """docker/compose.yaml and its files are what `trb compose` writes for the example digits."""
    made = {
        path.relative_to(composed_digits).as_posix(): path.read_text()
        for path in sorted(composed_digits.rglob("*"))
        if path.is_file()
    }
    if os.environ.get("TRB_GOLDEN") == "write":
        for name, text in made.items():
            (SHOWN / name).parent.mkdir(parents=True, exist_ok=True)
            (SHOWN / name).write_text(text)
    shown = {name: (SHOWN / name).read_text() for name in made if (SHOWN / name).exists()}
    assert "compose.yaml" in made
    require_same(shown, made)
