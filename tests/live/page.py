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
_PORTS = ("8001", "8123")
_STOP = "; ".join(f"trb serve {door}--stop 2>/dev/null || true" for door in ("", "--server docker "))


def commands(page: str, section: str | None = None) -> str:
    """Return the shell blocks of a page as one script, without what sets up the environment, on ports that are free.

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
    ports = dict(zip(_PORTS, map(str, free_ports(len(_PORTS))), strict=True))
    return re.sub("|".join(ports), lambda found: ports[found[0]], "\n".join(kept))


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
        timeout=1500,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def free_ports(count: int) -> list[int]:
    """Return ports that will be free when they are come to: the kernel gives these to nobody who asks for any."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 1_000):
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no port is free")
