"""`package.module:callable`, called, with every way it can fail told in words."""

import importlib
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from builder.blame import line_of_error
from builder.errors import SourceError


def resolve(source: str, folder: Path, *, key: str) -> Callable[[], Any]:
    """Import what `source` names, `folder` first on the module path.

    Args:
        source: `package.module:callable`.
        folder: the folder of trb.yaml.
        key: the key of trb.yaml it stands under, for messages.

    Raises:
        SourceError: no such module or attribute, a module that does not import, or not a callable.
    """
    module_name, _, attribute = source.partition(":")
    module = _imported(module_name, folder, key)
    found: Any = module
    for step in attribute.split("."):
        if not hasattr(found, step):
            near = get_close_matches(step, [name for name in dir(found) if not name.startswith("_")], n=1)
            hint = f"did you mean `{module_name}:{near[0]}`?" if near else f"define `{step}` there"
            raise SourceError(f"{key}: {module_name} ({module.__file__}) has no `{step}`", fix=hint)
        found = getattr(found, step)
    if not callable(found):
        raise SourceError(f"{key}: {source} is a {type(found).__name__}, not a callable")
    function: Callable[[], Any] = found
    return function


def call(function: Callable[[], Any], source: str, *, key: str) -> Any:
    """Call `function` without arguments.

    Raises:
        SourceError: it raises; the message shows the user's line.
    """
    try:
        return function()
    except Exception as error:
        raise SourceError(f"{key}: calling {source} failed: {told(error)}") from error


def told(error: BaseException) -> str:
    """Return an exception as its type, its message, and the innermost line of the user's code."""
    place = line_of_error(error)
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{text}\n  at {place}" if place else text


def _imported(name: str, folder: Path, key: str) -> Any:
    _forget_namesake(name.partition(".")[0], folder)
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise SourceError(f"{key}: there is no module `{name}`", fix=_near_module(name, folder)) from None
        raise SourceError(
            f"{key}: importing `{name}` failed: {told(error)}", fix=f"install `{error.name}` beside trb"
        ) from error
    except Exception as error:
        raise SourceError(f"{key}: importing `{name}` failed: {told(error)}") from error


def _forget_namesake(top: str, folder: Path) -> None:
    """Drop a module of this name that came from another project: two folders may both have a model.py."""
    file = getattr(sys.modules.get(top), "__file__", None)
    if file and not Path(file).is_relative_to(folder) and any(folder.glob(f"{top}*")):
        for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
            del sys.modules[name]


def _near_module(name: str, folder: Path) -> str:
    there = [path.stem for path in folder.glob("*.py")] + [p.name for p in folder.iterdir() if p.is_dir()]
    near = get_close_matches(name.partition(".")[0], there, n=1)
    return (
        f"did you mean `{near[0]}`?"
        if near
        else f"modules are looked for in {folder} and in this environment"
    )
