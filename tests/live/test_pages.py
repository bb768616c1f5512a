"""The commands on the pages work, as a reader would type them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "docs/getting-started.md",
    *(f"examples/{name}/README.md" for name in ("digits", "tagger")),
]
MADE_HERE = shutil.ignore_patterns("__pycache__", "model_repository", ".trb", "*.safetensors", "*.npz")


def commands(page: str) -> str:
    """Return the shell blocks of a page as one script, without what sets up the environment."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if not re.match(r"make |source |git clone |pip install ", line))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    """Every shell block of the page, in order and from the top of a checkout, ends without an error."""
    script = commands(page)
    assert "trb build" in script
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=MADE_HERE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
