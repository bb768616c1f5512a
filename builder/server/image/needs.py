"""What of `builder` the stand-ins run on, found by following their imports."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import builder

_PACKAGE: Final = Path(builder.__file__).parent
_STAND_INS: Final = "server/standins"
_DATA: Final = "spec/data/*.json"
"""What modules read of what lies beside them."""


def stand_in_needs() -> tuple[str, ...]:
    """Return the files of `builder` that the stand-ins import or read, by path in the package."""
    found: set[Path] = set()
    todo = [*_PACKAGE.glob(f"{_STAND_INS}/**/*.py")]
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            todo += [*_packages_above(file), *_imported(file)]
    return tuple(sorted(str(path.relative_to(_PACKAGE)) for path in (*found, *_PACKAGE.glob(_DATA))))


def _packages_above(file: Path) -> Iterator[Path]:
    for folder in file.relative_to(_PACKAGE).parents:
        yield _PACKAGE / folder / "__init__.py"


def _imported(file: Path) -> Iterator[Path]:
    """Yield the modules of ours that `file` imports at its top, and a stand-in in its functions too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if _STAND_INS in file.as_posix() else tree.body:
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        else:
            continue
        for name in names:
            yield from _module(name)


def _module(name: str) -> Iterator[Path]:
    if name.split(".", maxsplit=1)[0] == builder.__name__:
        path = _PACKAGE.joinpath(*name.split(".")[1:])
        yield from (one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file())
