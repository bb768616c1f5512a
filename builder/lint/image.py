"""Which Python packages an image has: it is asked by name, and nothing of the user's is run in it."""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import MissingTool, ServerError
from builder.lint import python_imports, python_source
from builder.lint.file_kind import foreign
from builder.spec.releases import Release

if TYPE_CHECKING:
    from builder.server.docker.inside import Inside

_WITHOUT: Final = "or leave out --probe-image: packages are then reported as needed"


def packages_in(image: str, names: Collection[str]) -> "Inside | None":
    """Return the Python of `image` and which of the packages called `names` it finds; None where there are no names.

    Raises:
        MissingTool: there is no Docker, no such image, or it cannot be asked.
    """
    if not names:
        return None
    try:
        # Slow to import, and not there where trb is installed to lint alone.
        from builder.server.docker.daemon import connected
        from builder.server.docker.images import find_image
        from builder.server.docker.inside import look_inside
    except ModuleNotFoundError as error:
        raise MissingTool(
            f"--probe-image asks an image by Docker, and the Python package {error.name} is not installed",
            fix=f"`pip install docker`, {_WITHOUT}",
        ) from error
    try:
        with connected() as daemon:
            return look_inside(daemon, find_image(daemon, image, lambda _: None), names)
    except (MissingTool, ServerError) as error:
        raise MissingTool(
            f"--probe-image asks an image by Docker: {error.what}",
            fix=f"see that `docker run` runs the image, {_WITHOUT}",
        ) from error


def asked_for(folders: Iterable[Path], release: Release) -> frozenset[str]:
    """Return the packages that the Python sources of the models in `folders` import."""
    return frozenset(
        one.package
        for folder in folders
        for source in _sources(folder)
        for one in _imports(source, release)
        if one.level == 0 and one.package.isidentifier()
    )


def _sources(folder: Path) -> Iterator[Path]:
    """Yield the sources in the folder of a model and of its versions."""
    for depth in ("*.py", "*/*.py", "*/*/*.py"):
        yield from sorted(folder.glob(depth))


def _imports(source: Path, release: Release) -> Iterator[python_imports.Import]:
    try:
        tree = None if foreign(source, source.name) else python_source.parse(source, source.name, release)
    except OSError:
        return  # the model's own findings say so
    if isinstance(tree, ast.Module):
        yield from python_imports.imports(tree)
