"""The Python that the stand-in backends run in: the main environment, with other versions ahead of it.

The server's stub was compiled for numpy 1: under numpy 2 every tensor comes back empty, without an error. It
takes the sys.path of the `python3` first on PATH, so a thin environment of one link and one .pth file is
enough to put numpy 1 and the target's runtimes first.
"""

import hashlib
import site
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from platform import python_version
from typing import Final

import builder
from builder.errors import MissingTool
from builder.server.embedded.cache import whole_folder
from builder.server.embedded.wheels import NoSuchWheel, fetch_wheel, wheel_for_this_python
from builder.spec.releases import Release

NUMPY: Final = "1.26.4"
"""The last numpy 1."""
TORCH_CPU_INDEX: Final = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own: PyPI has the CUDA builds."""


def stub_python(release: Release, *, target_torch: bool, say: Callable[[str], None]) -> Path:
    """Return the `bin` folder to put first on PATH.

    ONNX Runtime is the release's own; only where that has no wheel for this Python, it is the main environment's,
    and `say` is told. torch is the main environment's unless `target_torch` asks for the release's.

    Raises:
        MissingTool: numpy 1, the release's ONNX Runtime or the torch that was asked for cannot be had.
    """
    ahead = [fetch_wheel(wheel_for_this_python("numpy", NUMPY))]
    try:
        ahead.append(fetch_wheel(wheel_for_this_python("onnxruntime", release.onnxruntime)))
    except NoSuchWheel as error:
        # Not fatal: the report names the version that ran, and calls the target's not proven.
        say(f"{error.what}; the server runs this environment's ONNX Runtime instead")
    if target_torch:
        ahead.append(_release_torch(release))
    lines = path_lines(ahead)
    key = hashlib.sha256("\n".join((_base_python(), *lines)).encode()).hexdigest()[:12]
    return whole_folder(f"python-{_tag()}-{key}", lambda folder: _make(folder, lines)) / "bin"


def stub_versions() -> dict[str, str]:
    """Return what Python models run on."""
    return {"python": python_version(), "numpy": NUMPY}


def path_lines(ahead: Sequence[Path]) -> tuple[str, ...]:
    """Return the lines of the .pth file: `ahead` first, then all that the running Python imports from."""
    behind = dict.fromkeys(
        [*(sysconfig.get_path(key) for key in ("purelib", "platlib")), *site.getsitepackages(), *_user_site()]
    )
    ours = Path(builder.__file__).parent.parent  # a checkout on sys.path by the working directory alone
    return (
        *map(str, ahead),
        *(f"import site; site.addsitedir({folder!r})" for folder in behind if Path(folder).is_dir()),
        *([] if str(ours) in behind else [str(ours)]),
    )


def _release_torch(release: Release) -> Path:
    if release.torch is None:
        raise MissingTool(
            f"it is not known which torch Triton {release.name} has", fix="leave --target-torch out"
        )
    folder = fetch_wheel(replace(wheel_for_this_python("torch", f"{release.torch}.*"), index=TORCH_CPU_INDEX))
    if not list(folder.glob("torch-*+cpu.dist-info")):
        raise MissingTool(
            f"the torch {release.torch} that was found is not the CPU build",
            fix=f"set TRB_WHEELS to a folder with torch {release.torch}+cpu, or leave --target-torch out",
        )
    return folder


def _user_site() -> list[str]:
    return [site.getusersitepackages()] if site.ENABLE_USER_SITE else []


def _make(folder: Path, lines: Sequence[str]) -> None:
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "trb.pth").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(_base_python())
    home = Path(_base_python()).parent
    (folder / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\n", encoding="utf-8"
    )


def _base_python() -> str:
    return str(Path(getattr(sys, "_base_executable", "") or sys.executable).resolve())


def _tag() -> str:
    return f"cp{sys.version_info.major}{sys.version_info.minor}"
