"""Installs the wheels of a build context: the server, and the Python that its backends run in.

Run as `python3 install.py WHEELS HOME` in the image while it is built. What comes of the same wheels has the same
bytes and times.
"""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

_SERVER: Final = "nvidia_pytriton-*.whl"
_PIP: Final = "pip-*.whl"
_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_IN_WHEEL: Final = "pytriton/tritonserver"
_MEMBERS: Final = {
    f"{_IN_WHEEL}/bin/": "libexec",
    f"{_IN_WHEEL}/backends/python/": "backends/python",
    f"{_IN_WHEEL}/python_backend_stubs/{_PYTHON}/": "backends/python",
    f"{_IN_WHEEL}/caches/": "caches",
    "nvidia_pytriton.libs/": "lib",
}
"""Folders of the server's wheel, and where they go: to where Triton looks without being told."""
_OTHER_PYTHONS: Final = "libpython"
_TESTS: Final = frozenset({"tests", "test"})
_NOT_RUN: Final = (
    "torch/include",
    "torch/share",
    "torch/test",
    "torch/lib/*_test.so",
    "numpy/core/include",
    "numpy/core/lib",
    "numpy/random/lib",
    "numpy/f2py",
    "sympy/benchmarks",
    "share",
)
_RUN: Final = ("torch_shm_manager",)
_DEVELOPMENT: Final = frozenset({".pyi", ".pyx", ".pxd", ".h", ".hpp", ".a", ".c", ".cpp"})
_SLIMMED: Final = (
    "fsspec",
    "functorch",
    "markupsafe",
    "mpmath",
    "networkx",
    "numpy",
    "onnxruntime",
    "setuptools",
    "sympy",
    "torch",
    "torchgen",
)
"""The backends' own packages, and what these need. Those of Python models stay whole: one may read its headers."""
_STARTS_WITH: Final = ("numpy", "onnxruntime", "torch")
"""What every backend's process imports, where it is installed."""


def main() -> None:
    """Install, drop what does not run, and leave no trace of when."""
    wheels, home = Path(sys.argv[1]), Path(sys.argv[2])
    _unpack_server(next(wheels.glob(_SERVER)), home)
    packages = _install_packages(wheels, home / "python")
    for path in dropped(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _compile_what_starts(home / "python" / "bin" / "python3")
    for path in (home, *home.rglob("*")):
        os.utime(path, (0, 0), follow_symlinks=False)


def _unpack_server(wheel: Path, home: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder = next((one for one in _MEMBERS if name.startswith(one)), None)
            if folder is None or name.endswith("/") or name.startswith(f"{folder}{_OTHER_PYTHONS}"):
                continue
            target = home / _MEMBERS[folder] / name.removeprefix(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
            target.chmod(0o755 if name.startswith(_IN_WHEEL) else 0o644)


def _install_packages(wheels: Path, python: Path) -> Path:
    """Return the folder of packages of a new environment with every wheel but the server's and pip's."""
    venv.create(python, symlinks=True)
    pip = next(wheels.glob(_PIP))
    others = sorted({*wheels.glob("*.whl")} - {pip, *wheels.glob(_SERVER)})
    names = ["==".join(one.name.split("-")[:2]) for one in others]
    run = [str(python / "bin" / "python3"), "-B", f"{pip}/pip"]
    own = ("--disable-pip-version-check", "--no-input", "--no-cache-dir", "--root-user-action=ignore")
    subprocess.run(
        [*run, "install", *own, "--no-compile", "--no-index", f"--find-links={wheels}", *names], check=True
    )
    subprocess.run([*run, "check", "--disable-pip-version-check"], check=True)
    return python / "lib" / f"python{_PYTHON}" / "site-packages"


def dropped(packages: Path) -> Iterator[Path]:
    """Yield what no server runs: headers, sources, stubs for editors, tests and their programs."""
    yield from [path for pattern in _NOT_RUN for path in packages.glob(pattern)]
    yield from [path for path in packages.glob("torch/bin/*") if path.name not in _RUN]
    for top, folders, files in chain.from_iterable(os.walk(packages / name) for name in _SLIMMED):
        for name in _TESTS.intersection(folders):
            folders.remove(name)
            yield Path(top, name)
        for name in files:
            if os.path.splitext(name)[1] in _DEVELOPMENT:  # noqa: PTH122 - tens of thousands of them
                yield Path(top, name)


def _compile_what_starts(python: Path) -> None:
    """Leave compiled only what a backend's process imports as it starts; sources never change, so none is checked."""
    code = (
        "import importlib.util, py_compile, sys\n"
        f"for name in {_STARTS_WITH!r}:\n"
        "    if importlib.util.find_spec(name): importlib.import_module(name)\n"
        "unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH\n"
        "for module in list(sys.modules.values()):\n"
        "    source = getattr(module, '__file__', None) or ''\n"
        "    if source.startswith(sys.prefix) and source.endswith('.py'):\n"
        "        py_compile.compile(source, invalidation_mode=unchecked, doraise=True)\n"
    )
    subprocess.run([str(python), "-B", "-c", code], check=True)


if __name__ == "__main__":
    main()
