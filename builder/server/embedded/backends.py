"""The folder of backends that the embedded server is given."""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Final

from builder.server.embedded.cache import whole_folder

_STAND_INS: Final = Path(__file__).parent.parent / "standins"
_IGNORED: Final = "__pycache__"


def backend_folder(tritonserver: Path) -> Path:
    """Return the folder for `--backend-directory`: the Python backend of the wheel and our stand-ins.

    Args:
        tritonserver: the `pytriton/tritonserver` folder of the unpacked wheel.
    """
    files = stand_in_files()
    digest = hashlib.sha256(str(tritonserver).encode())
    for path, content in files.items():
        digest.update(f"{path}:{len(content)}:".encode() + content)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    def fill(folder: Path) -> None:
        _copy_python_backend(tritonserver, version, into=folder / "python")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    return whole_folder(f"backends-{version}-{digest.hexdigest()[:12]}", fill)


def stand_in_files() -> dict[str, bytes]:
    """Return the content of every file of the stand-in backends, by path such as `onnxruntime/model.py`."""
    return {
        str(path.relative_to(_STAND_INS)): path.read_bytes()
        for path in sorted(_STAND_INS.glob("*/*"))
        if path.is_file() and path.parent.name != _IGNORED
    }


def _copy_python_backend(tritonserver: Path, version: str, *, into: Path) -> None:
    into.mkdir(parents=True)
    stub = tritonserver / "python_backend_stubs" / version / "triton_python_backend_stub"
    for file in (*(tritonserver / "backends" / "python").iterdir(), stub):
        # Copied: the server refuses a backend library that is a link out of its own folder.
        shutil.copy(file, into / file.name)
