"""What Python source imports, and whether it can do without."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CALLED: Final = ("initialize", "execute", "auto_complete_config", "__init__")
"""Methods that a server is sure to call."""
_CATCHES: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})

_REMOVED: Final = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(("_bootlocale", "binhex"), (3, 11)),
    **dict.fromkeys(("formatter", "parser", "symbol", "macpath"), (3, 10)),
}
_ADDED: Final = {"tomllib": (3, 11), "zoneinfo": (3, 9), "graphlib": (3, 9)}
SUPPLIED: Final = ("numpy", "triton_python_backend_utils", "c_python_backend_utils")
"""What every image has for its models beside the standard library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One module that a source asks for."""

    module: str
    """As it stands there, such as `torch.nn`; empty in `from . import a`."""
    names: tuple[str, ...]
    """What is taken from it."""
    level: int
    """The dots before it."""
    line: int
    is_certain: bool
    """Whether a server is sure to reach it."""

    @property
    def package(self) -> str:
        """The outermost part of the module's name."""
        return self.module.partition(".")[0]


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield every import that the source does not say it can do without."""
    yield from _statements(tree.body, is_certain=True)


def _statements(body: Sequence[ast.stmt], *, is_certain: bool) -> Iterator[Import]:
    for one in body:
        if isinstance(one, ast.Import):
            for alias in one.names:
                yield Import(module=alias.name, names=(), level=0, line=one.lineno, is_certain=is_certain)
        elif isinstance(one, ast.ImportFrom):
            yield Import(
                module=one.module or "",
                names=tuple(alias.name for alias in one.names),
                level=one.level,
                line=one.lineno,
                is_certain=is_certain,
            )
        for inner, is_reached in _inside(one):
            yield from _statements(inner, is_certain=is_certain and is_reached)


def _inside(one: ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], bool]]:
    """Yield the statements in a statement, and whether they are sure to be reached; not those done without."""
    match one:
        case ast.ClassDef():
            yield one.body, True
        case ast.With() | ast.AsyncWith():
            if not any(_suppresses(item.context_expr) for item in one.items):
                yield one.body, True
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield one.body, one.name in _CALLED
        case ast.Try():
            if not any(map(_catches_import, one.handlers)):
                yield one.body, True
            yield one.finalbody, True
        case ast.If() if _is_never(one.test):
            yield one.orelse, True
        case ast.If() | ast.For() | ast.While():
            yield [*one.body, *one.orelse], False
        case _:
            pass


def _catches_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return _names_import_error(handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])


def _suppresses(context: ast.expr) -> bool:
    """Return whether `with` this, an import may fail: contextlib.suppress(ImportError)."""
    return (
        isinstance(context, ast.Call)
        and _last_name(context.func) == "suppress"
        and _names_import_error(context.args)
    )


def _names_import_error(kinds: Sequence[ast.expr]) -> bool:
    return any(isinstance(kind, ast.Name) and kind.id in _CATCHES for kind in kinds)


def _is_never(test: ast.expr) -> bool:
    """Return whether a server never passes the test: TYPE_CHECKING, or running as a script."""
    match test:
        case ast.Compare(
            left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
        ):
            return True
        case _:
            return _last_name(test) == "TYPE_CHECKING"


def _last_name(expression: ast.expr) -> str:
    """Return the name in `name` and in `module.name`; empty for anything else."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(), attr=name):
            return name
        case _:
            return ""


def is_standard(package: str, python: tuple[int, int]) -> bool:
    """Return whether `package` belongs to the standard library of this version of Python."""
    known = package in sys.stdlib_module_names or package in _REMOVED
    return known and python < _REMOVED.get(package, (4, 0)) and python >= _ADDED.get(package, (3, 0))


def was_standard(package: str, python: tuple[int, int]) -> bool:
    """Return whether `package` is only in the standard library of other versions of Python than this."""
    # setuptools, which the images have, brings distutils back.
    return package in {*_REMOVED, *_ADDED} - {"distutils"} and not is_standard(package, python)


def beside(package: str, folders: Sequence[Path]) -> Path | None:
    """Return the module, or the folder of modules, called `package` in the first of `folders` that has one."""
    for folder in folders:
        found = (folder / f"{package}.py", folder / package, *folder.glob(f"{package}.*.so"))
        for one in found if package.isidentifier() else ():
            if one.exists():
                return one
    return None
