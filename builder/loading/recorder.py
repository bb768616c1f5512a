"""Which files a source read while it loaded."""

import importlib
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from builder.loading.fingerprint import PACKAGES, digest

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_INSTALLED: Final = tuple(
    Path(folder).resolve()
    for folder in {
        *(sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")),
        *site.getsitepackages(),
        site.getusersitepackages(),
        "/proc", "/sys", "/dev", "/etc", "/usr/share", "/usr/lib",
    }
)  # fmt: skip
_PREFIXES: Final = tuple(f"{folder}{os.sep}" for folder in _INSTALLED)
_NATIVE: Final = (("safetensors", "safe_open"), ("safetensors.torch", "safe_open"), ("torch.jit", "load"))
"""Functions that open files in native code, where no audit event tells of it."""
_ACTIVE: list[set[str]] = []
_INSTALLED_HOOK: list[bool] = []


class Reading:
    """The files and packages read inside a `recording()` block."""

    def __init__(self, opened: set[str]) -> None:
        self._opened = opened

    def files(self, folder: Path) -> Mapping[str, str]:
        """Return sha256 by path of every file read and every module imported; relative below `folder`."""
        paths = {Path(name).resolve() for name in (*self._opened, *_module_files())}
        found = {spelt(path, folder.resolve()): digest(path) for path in paths if _counts(path)}
        return dict(sorted((name, hashed) for name, hashed in found.items() if hashed))

    def outside(self, folder: Path) -> Mapping[str, str]:
        """Return sha256 by module name of every imported module of the user that lies outside `folder`."""
        inside = folder.resolve()
        found = {module.__name__: Path(module.__file__).resolve() for module in user_modules()}
        return {name: digest(path) for name, path in sorted(found.items()) if not path.is_relative_to(inside)}

    def packages(self) -> tuple[str, ...]:
        """Return the installed distributions that the user's own modules import by name."""
        own = user_modules()
        tops = {name for module in own for name in _imported(module)} - _recorded_anyway(own)
        owners = metadata.packages_distributions() if tops else {}  # reads the files of every package
        found = {owners[top][0] for top in tops if top in owners}
        return tuple(sorted(name for name in found if name != "trb"))


@contextmanager
def recording() -> Iterator[Reading]:
    """Record every file opened for reading, by Python or by the native readers we know."""
    if not _INSTALLED_HOOK:
        sys.addaudithook(_on_event)  # there is no way to take a hook out again, so there is one
        _INSTALLED_HOOK.append(True)
    opened: set[str] = set()
    _ACTIVE.append(opened)
    try:
        with _native_readers(opened):
            yield Reading(opened)
    finally:
        _ACTIVE.remove(opened)


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _ACTIVE:
        return
    path, mode, flags = arguments
    writes = flags & (os.O_WRONLY | os.O_RDWR) if isinstance(flags, int) else False
    if (
        isinstance(path, str | bytes | os.PathLike)
        and not writes
        and not (mode and set(str(mode)) & set("wax+"))
    ):
        for opened in _ACTIVE:
            opened.add(os.fsdecode(path))


@contextmanager
def _native_readers(opened: set[str]) -> Iterator[None]:
    """Note what native readers open; each is put back as it was found, whatever happens in between."""
    readers = [(importlib.import_module(module_name), name) for module_name, name in _NATIVE]
    before = [(module, name, getattr(module, name)) for module, name in readers]
    try:
        for module, name, reader in before:
            setattr(module, name, _noting(reader, opened))
        yield
    finally:
        for module, name, reader in before:
            setattr(module, name, reader)


def _noting(reader: Callable[..., Any], opened: set[str]) -> Callable[..., Any]:
    def read(path: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(path, str | os.PathLike):
            opened.add(os.fspath(path))
        return reader(path, *arguments, **named)

    return read


def _module_files() -> Iterator[str]:
    for module in user_modules():
        yield str(module.__file__)


def user_modules() -> list[Any]:
    """Return the modules imported so far that are neither installed, nor Python's, nor ours.

    Their files may be gone.
    """
    named = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items()]
    return [
        sys.modules[name]
        for name, file in named
        if isinstance(file, str)
        and name != "__main__"
        and _may_count(file)
        and is_users(Path(file).resolve())
    ]


def _recorded_anyway(own: list[Any]) -> set[str]:
    """Return the names that need no owner: of Python, of the user, and of packages whose versions are recorded."""
    return {*sys.stdlib_module_names, *PACKAGES, "builder", "", *(m.__name__.split(".")[0] for m in own)}


def _imported(module: Any) -> set[str]:
    values = vars(module).values()
    names = (getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in values)
    return {str(name).split(".")[0] for name in names if isinstance(name, str)}


def _may_count(file: str) -> bool:
    """Whether `file` is not plainly an installed one: resolving thousands of paths takes seconds."""
    return file.startswith(os.sep) and not file.startswith(_PREFIXES)


def _counts(path: Path) -> bool:
    return is_users(path) and path.is_file()


def is_users(path: Path) -> bool:
    """Return whether a file is the user's: neither installed, nor Python's, nor ours."""
    if path.is_relative_to(_PACKAGE):
        return path.is_relative_to(_PACKAGE / "_assets")
    inside = any(path.is_relative_to(folder) for folder in _INSTALLED)
    return not inside and "__pycache__" not in path.parts and ".trb" not in path.parts


def spelt(path: Path, folder: Path) -> str:
    """Return `path` relative to `folder` where it lies below it, else as it is."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
