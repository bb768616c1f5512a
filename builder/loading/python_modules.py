"""The user's own modules that a function needs, found by following the imports in their sources."""

import ast
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from builder.errors import SourceError
from builder.loading.recorder import is_users

_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def own_modules(name: str) -> dict[str, Path]:
    """Return the sources of the module `name` and of every other of the user that it imports, by where they belong.

    Imports in functions count; those that a name in a text leads to are found when the copy runs.

    Raises:
        SourceError: a module of the user is no source.
    """
    found: dict[str, Path] = {}
    todo, known = [name], set[str]()
    while todo:
        module = todo.pop()
        if module in known:
            continue
        known.add(module)
        path = _users_file(module)
        if path is None:
            continue
        if path.suffix != ".py":
            raise SourceError(
                f"source: the module `{module}` is no Python source: {path}",
                fix="a compiled module comes with a package: name that in `python: {requirements: [...]}`",
            )
        is_package = path.name == "__init__.py"
        found[_place(module, path)] = path
        package = module if is_package else module.rpartition(".")[0]
        todo += [*_parents(module), *_imported(path, package, certain=False)]
    return dict(sorted(found.items()))


def foreign_imports(modules: Mapping[str, Path]) -> dict[str, str]:
    """Return the packages that `modules` import and that are neither Python's nor among them, and who asks for each.

    Left out is what a module says it can do without: in a `try` that expects an ImportError.
    """
    own = {name.partition("/")[0].removesuffix(".py") for name in modules}
    found: dict[str, str] = {}
    for name, path in modules.items():
        for module in _imported(path, "", certain=True):
            top = module.partition(".")[0]
            if top not in own and top not in sys.stdlib_module_names:
                found.setdefault(top, name)
    return found


def _users_file(module: str) -> Path | None:
    """Return the file of a module of the user; None for any other, and for a folder without a file."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or (top != module and _is_foreign(_file(top))):
        return None  # looking for a part of a package would import the package
    file = _file(module)
    return None if file is None or _is_foreign(file) else file


def _file(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if module not in sys.modules:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):  # `from package import name`: the name is no module
            return None
        file = spec.origin if spec is not None and spec.has_location else None
    return Path(file).resolve() if isinstance(file, str) else None


def _is_foreign(file: Path | None) -> bool:
    return file is not None and not is_users(file)


def _place(module: str, path: Path) -> str:
    inside = "/".join(module.split("."))
    return f"{inside}/__init__.py" if path.name == "__init__.py" else f"{inside}.py"


def _parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _imported(path: Path, package: str, *, certain: bool) -> list[str]:
    """Return the modules that a source imports, and the names it takes from them, which may be modules too.

    `certain`: but for those that it can do without.
    """
    tree = ast.parse(path.read_bytes(), filename=str(path))
    found: list[str] = []
    for one in _reached(tree.body, certain=certain):
        if isinstance(one, ast.Import):
            found += [alias.name for alias in one.names]
        else:
            base = _absolute(one, package)
            if base:
                found += [base, *(f"{base}.{alias.name}" for alias in one.names)]
    return found


def _absolute(one: ast.ImportFrom, package: str) -> str:
    if not one.level:
        return one.module or ""
    if not package:
        return ""  # relative: another module of the user
    parts = package.split(".")
    base = parts[: len(parts) - one.level + 1]
    return ".".join([*base, *([one.module] if one.module else [])])


def _reached(body: Sequence[ast.stmt], *, certain: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports in `body` and in all blocks of it."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and _is_for_types(statement.test):
            yield from _reached(statement.orelse, certain=certain)
        elif certain and isinstance(statement, ast.Try) and any(map(_catches, statement.handlers)):
            yield from _reached([*statement.orelse, *statement.finalbody], certain=certain)
        else:
            for block in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = [one for part in getattr(statement, block, []) for one in _statements(part)]
                yield from _reached(inner, certain=certain)


def _statements(part: ast.AST) -> list[ast.stmt]:
    return part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else [part]  # type: ignore[list-item]


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in _ERRORS) for kind in kinds)


def _is_for_types(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
