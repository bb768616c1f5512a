"""Our CPU image for the tests that need one: built once, found again while the same goes into it."""

import fcntl
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import docker
import docker.errors
import pytest

from builder.errors import MissingTool, ServerError
from builder.server.docker.daemon import connected
from builder.server.embedded import cache_root
from builder.server.image.plan import DEFAULT_BASE

Trb = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[2]
TAG = f"trb-test-triton:24.10-cpu-{sha256(str(ROOT).encode()).hexdigest()[:8]}"
"""A checkout's own: another one's stand-ins are another image."""
BUILD_TIMEOUT_S = 1500
NO_BASE = (
    f"no base image: {DEFAULT_BASE} is not here, cannot be pulled, nor made without root and debootstrap"
)


def image_or_skip(trb: Trb, folder: Path, *requirements: str) -> str:
    """Return the tag of the image; what keeps this machine from having one skips the test."""
    tag = f"{TAG}-more" if requirements else TAG
    more = [word for one in requirements for word in ("--requirements", one)]
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    try:
        with connected() as daemon, (root / ".test-image.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one build, however many test processes ask for it
            require_base(daemon.client, folder)
            done = trb(
                *("image", "build", "--tag", tag, *more, "--network", "host", "--json"),
                cwd=folder,
                timeout_s=BUILD_TIMEOUT_S,
            )
    except (MissingTool, ServerError) as error:
        pytest.skip(f"no Docker daemon: {error.what}")
    return str(json.loads(done.stdout)["tag"])


def require_base(client: docker.DockerClient, folder: Path) -> None:
    """Pull the base image, or make it of Debian's packages."""
    try:
        client.images.get(DEFAULT_BASE)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(DEFAULT_BASE)
        except docker.errors.APIError:
            make_base(client, folder)


def make_base(client: docker.DockerClient, folder: Path) -> None:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip(NO_BASE)
    tree, packed = folder / "bookworm", folder / "bookworm.tar"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", tree], check=True, capture_output=True, timeout=600
    )
    with tarfile.open(packed, "w") as archive:
        archive.add(tree, arcname=".")
    repository, _, tag = DEFAULT_BASE.partition(":")
    client.api.import_image_from_file(str(packed), repository=repository, tag=tag)
    shutil.rmtree(tree)
    packed.unlink()
