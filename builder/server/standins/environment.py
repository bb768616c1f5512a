"""What the stub's process is made of, and what the server's owner asked of it."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from builder.server.endpoint import RUNTIME_VERSIONS_VARIABLE, TARGET_RELEASE_VARIABLE
from builder.server.standins.refused import LoadRefused
from builder.spec.releases import Release, release


def require_numpy_1() -> None:
    """Refuse to serve on numpy 2, on which the stub returns every output tensor empty and without an error.

    Raises:
        LoadRefused: this process got numpy 2.
    """
    if int(np.__version__.split(".")[0]) > 1:
        raise LoadRefused(
            f"the stand-in backend was started with numpy {np.__version__}, but Triton's Python stub was "
            "compiled for numpy 1 and would return empty tensors; put numpy 1.26.4 first in its environment"
        )


def target_release() -> Release | None:
    """Return the release whose limits apply; None when none was named."""
    name = os.environ.get(TARGET_RELEASE_VARIABLE)
    return release(name) if name else None


def write_versions(backend: str, versions: Mapping[str, str]) -> None:
    """Leave `<backend>.json` with the versions of what runs here, if anyone asked."""
    folder = os.environ.get(RUNTIME_VERSIONS_VARIABLE)
    if not folder:
        return
    found = {**versions, "numpy": np.__version__, "python": platform.python_version()}
    target = Path(folder) / f"{backend}.json"
    # Instances of one backend write at the same time; a reader must never see half a file.
    beside = target.with_name(f".{backend}.{os.getpid()}")
    beside.write_text(json.dumps(found, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(target)
