"""The commands on a page, as a reader would type them."""

import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_HERE = shutil.ignore_patterns(
    *("__pycache__", "model_repository", ".trb", "*.safetensors", "*.npz"),
    *("images", "tokenizer.json", "*.wav"),
)
DOCKER = "Docker"
"""The heading of what needs a Docker daemon."""
_PORT = "8001"
_STOP = "; ".join(f"trb serve {door}--stop 2>/dev/null || true" for door in ("", "--server docker "))


def commands(page: str, section: str | None = None) -> str:
    """Return the shell blocks of a page as one script, without what sets up the environment, on a port that is free.

    Args:
        page: its path in the checkout.
        section: only that with this heading; None: all but those that need Docker, which is not everywhere.
    """
    headed = re.split(r"^## (.+)\n", (ROOT / page).read_text(), flags=re.MULTILINE)
    sections = zip(["", *headed[1::2]], headed[::2], strict=True)
    text = "".join(found for name, found in sections if (name == section if section else name != DOCKER))
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    kept = [line for line in lines if not re.match(r"make |source |git clone |pip install ", line)]
    return "\n".join(kept).replace(_PORT, str(_free_port()))


def go_through(page: str, top: Path, *, section: str | None = None, after: str = "") -> None:
    """Do what a page says from the top of a checkout, which `top` becomes as far as the examples go.

    Args:
        page: its path in the checkout.
        top: an empty folder.
        section: only what is under this heading; None: all but what needs Docker.
        after: commands that the section counts on.
    """
    script = f"{after}\n{commands(page, section)}"
    assert "trb build" in script
    shutil.copytree(ROOT / "examples", top / "examples", ignore=MADE_HERE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap '{_STOP}' ERR\n{script}"],
        cwd=top,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def _free_port() -> int:
    """Return a port that will be free when the page comes to it: the kernel gives it to nobody who asks for any."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
