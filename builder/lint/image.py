"""Which Python packages an image has: it is asked by name, and nothing of the user's is run in it."""

import ast
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from builder import shell
from builder.errors import MissingTool
from builder.lint import python_imports, python_source
from builder.lint.file_kind import foreign
from builder.lint.places import Place
from builder.spec.releases import Release

_TIMEOUT_S: Final = 1800.0
"""Docker may have to fetch the image first."""
_LAST: Final = 500
_ASK: Final = """
import importlib.util, json, sys
def has(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
print(json.dumps({name: has(name) for name in sys.argv[1:]}))
"""


def packages_in(image: str, names: Collection[str]) -> Mapping[str, bool]:
    """Return which of the packages called `names` the Python of `image` finds.

    Raises:
        MissingTool: Docker is not installed, or does not run the image.
    """
    if not names:
        return {}
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", _ASK]
    try:
        done = shell.run([*command, *sorted(names)], timeout_s=_TIMEOUT_S, check=False)
    except MissingTool as missing:
        raise MissingTool(
            f"{missing.what}, and --probe-image asks an image by it",
            fix="install Docker, or leave out --probe-image: packages are then reported as needed",
        ) from None
    try:
        found = json.loads(done.stdout.rstrip().rpartition("\n")[2])
        return {name: bool(found[name]) for name in names}
    except (ValueError, TypeError, KeyError):
        raise MissingTool(
            f"Docker did not ask {image} (exit status {done.returncode}): {done.stderr.strip()[-_LAST:]}",
            fix=f"docker run --rm --entrypoint python3 {image} -c 'print(1)' has to work; `docker info` says more",
        ) from None


def asked_for(places: Sequence[Place], release: Release) -> frozenset[str]:
    """Return the packages that the Python sources of the models in `places` import."""
    return frozenset(
        one.package
        for place in places
        for source in _sources(place.repository)
        for one in _imports(source, release)
        if one.level == 0 and one.package.isidentifier()
    )


def _sources(repository: Path) -> Iterator[Path]:
    """Yield the sources in the folders of the models and of their versions."""
    for depth in ("*/*.py", "*/*/*.py", "*/*/*/*.py"):
        yield from sorted(repository.glob(depth))


def _imports(source: Path, release: Release) -> Iterator[python_imports.Import]:
    try:
        tree = None if foreign(source, source.name) else python_source.parse(source, source.name, release)
    except OSError:
        return  # the model's own findings say so
    if isinstance(tree, ast.Module):
        yield from python_imports.imports(tree)
