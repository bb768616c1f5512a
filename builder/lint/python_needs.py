"""What a Python model imports from elsewhere, the modules beside it included."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.lint import python_imports, python_layout, python_source
from builder.lint.file_kind import foreign
from builder.lint.python_imports import Import
from builder.lint.seen import Seen
from builder.rules.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """An import of what does not stand beside the model."""

    wanted: Import
    relative: str
    """The source that asks for it, from the model's folder."""
    is_certain: bool
    """Whether a server is sure to reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    path: Path
    tree: ast.Module
    is_certain: bool


def needs(seen: Seen, tree: ast.Module) -> Iterator[Need | Refusal]:
    """Yield what the model in `tree` needs, and why a module beside it cannot be read."""
    todo = [_Source(path=seen.file, tree=tree, is_certain=True)]
    known = {seen.file}
    yield from _read_all(python_layout.code(seen), seen, todo, known, is_certain=True)
    while todo:
        source = todo.pop()
        for one in python_imports.imports(source.tree):
            if one.level and source.path != seen.file:
                continue  # inside a package of the user's own
            found = _found(one, seen)
            is_certain = source.is_certain and one.is_certain
            if found is None:
                relative = str(source.path.relative_to(seen.folder.path))
                yield Need(wanted=one, relative=relative, is_certain=is_certain)
            elif not python_layout.is_delivered(found, seen):
                yield from _read_all(
                    _sources(found), seen, todo, known, is_certain=is_certain and found.is_file()
                )


def _read_all(
    paths: Iterable[Path], seen: Seen, todo: list[_Source], known: set[Path], *, is_certain: bool
) -> Iterator[Refusal]:
    """Add the sources at `paths` to `todo`, each once, and yield why one cannot be read."""
    for path in paths:
        if path not in known:
            known.add(path)
            read = _read(path, seen, is_certain=is_certain)
            if isinstance(read, Refusal):
                yield read
            elif read is not None:
                todo.append(read)


def _found(one: Import, seen: Seen) -> Path | None:
    """Return where an import leads: Triton puts the folders of the version and of the model on sys.path."""
    own = seen.file.parent
    if one.level == 0:
        further = python_layout.folders(seen)
        return python_imports.beside(
            one.package, (*further, own, seen.folder.path / seen.version, seen.folder.path)
        )
    if one.level > 1:
        return None
    return python_imports.beside(one.package or one.names[0], (own,)) or (
        own if not one.package and (own / "__init__.py").exists() else None
    )


def _sources(found: Path) -> list[Path]:
    return sorted(found.glob("*.py")) if found.is_dir() else [found] if found.suffix == ".py" else []


def _read(path: Path, seen: Seen, *, is_certain: bool) -> _Source | Refusal | None:
    """Return the source at `path`; why it is none where that is sure to matter, None where it is not."""
    relative = str(path.relative_to(seen.folder.path))
    tree = foreign(path, relative) or python_source.parse(path, relative, seen.target.release)
    if isinstance(tree, ast.Module):
        return _Source(path=path, tree=tree, is_certain=is_certain)
    return tree if is_certain else None
