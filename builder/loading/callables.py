"""`package.module:callable`, called, with every way it can fail told in words."""

import importlib
import inspect
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import nn

from builder.blame import line_of_error
from builder.errors import SourceError
from builder.loading.recorder import user_modules


def resolve(source: str, folder: Path, *, key: str) -> Callable[[], Any]:
    """Return what `source` names: a callable that takes no arguments.

    Raises:
        SourceError: as `found_at`; it is not a callable, or one that takes arguments.
    """
    found = found_at(source, folder, key=key)
    _require_callable(found, source, key)
    return found  # type: ignore[no-any-return]


def found_at(source: str, folder: Path, *, key: str) -> Any:
    """Import what `source` names, `folder` first on the module path.

    Args:
        source: `package.module:callable`.
        folder: the folder of trb.yaml.
        key: the key of trb.yaml it stands under, for messages.

    Raises:
        SourceError: no such module or attribute, or a module that does not import.
    """
    module_name, _, attribute = source.partition(":")
    module = _imported(module_name, folder, key)
    found: Any = module
    for step in attribute.split("."):
        if not hasattr(found, step):
            near = get_close_matches(step, [name for name in dir(found) if not name.startswith("_")], n=1)
            hint = f"did you mean `{module_name}:{near[0]}`?" if near else f"define `{step}` there"
            raise SourceError(f"{key}: {module_name} ({_place(module)}) has no `{step}`", fix=hint)
        found = getattr(found, step)
    return found


def call(function: Callable[[], Any], source: str, *, key: str) -> Any:
    """Call `function` without arguments.

    Raises:
        SourceError: it raises; the message shows the user's line.
    """
    try:
        return function()
    except (Exception, SystemExit) as error:  # the user's code raises anything
        raise SourceError(f"{key}: calling {source} failed: {told(error)}", fix="correct it there") from error


def told(error: BaseException) -> str:
    """Return an exception as its type, its message, and the innermost line of the user's code."""
    place = line_of_error(error)
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{text}\n  at {place}" if place else text


def _require_callable(found: Any, source: str, key: str) -> None:
    name = source.partition(":")[2].split(".")[-1]
    if not callable(found) or isinstance(found, nn.Module):
        raise SourceError(
            f"{key}: {source} is a {type(found).__name__}, not a callable that gives one",
            fix=f"name a function that returns it: `def load(): return {name}`",
        )
    needed = [argument for argument, parameter in _parameters(found) if _is_required(parameter)]
    if needed:
        raise SourceError(
            f"{key}: {source} needs arguments: {', '.join(needed)}",
            fix="name a function that takes none, such as `def load(): return Net(...)`",
        )


def _parameters(found: Any) -> list[tuple[str, inspect.Parameter]]:
    try:
        return list(inspect.signature(found).parameters.items())
    except ValueError:  # some callables written in C do not tell
        return []


def _is_required(parameter: inspect.Parameter) -> bool:
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in starred


def _imported(name: str, folder: Path, key: str) -> Any:
    folder = folder.absolute()
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    _forget_namesakes(folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise SourceError(f"{key}: there is no module `{name}`", fix=_near_module(name, folder)) from None
        raise SourceError(
            f"{key}: importing `{name}` failed: {told(error)}", fix=f"install `{error.name}` beside trb"
        ) from error
    except (Exception, SystemExit) as error:  # the user's code raises anything
        raise SourceError(
            f"{key}: importing `{name}` failed: {told(error)}", fix="correct it there"
        ) from error


def _forget_namesakes(folder: Path) -> None:
    """Forget the modules of another project where this folder has one of the same name, such as `model`."""
    for module in user_modules():
        top = module.__name__.partition(".")[0]
        has_own = (folder / f"{top}.py").exists() or (folder / top).is_dir()
        if has_own and not Path(module.__file__).resolve().is_relative_to(folder.resolve()):
            sys.modules.pop(module.__name__, None)


def _place(module: Any) -> str:
    return str(getattr(module, "__file__", None) or "a folder without __init__.py")


def _near_module(name: str, folder: Path) -> str:
    """Return the module of `folder` that was meant; nested ones are found by their dotted names."""
    there = [".".join(path.relative_to(folder).with_suffix("").parts) for path in _sources(folder)]
    near = get_close_matches(name, there, n=1)
    where = f"modules are looked for in {folder} and in this environment"
    return f"did you mean `{near[0]}`?" if near else where


def _sources(folder: Path) -> list[Path]:
    hidden = (".", "__")
    found = [*folder.glob("*.py"), *folder.glob("*/*.py"), *folder.glob("*/*/*.py")]
    return [
        path for path in found if not any(p.startswith(hidden) for p in path.relative_to(folder).parts[:-1])
    ]
