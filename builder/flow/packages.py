"""Whether an image has what Python models import: said before a server is started in it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.errors import ServerError
from builder.lint import Lacking, Target, asked_for, asking, lacking
from builder.server.serving import Serving
from builder.spec.releases import Release
from builder.spec.tensors import unique

if TYPE_CHECKING:
    from builder.server.docker.daemon import Daemon
    from builder.server.docker.images import Found

_EVERYWHERE: Final = sys.stdlib_module_names | {"triton_python_backend_utils"}
"""What needs no package in any image that serves Python models."""

Say = Callable[[str], None]


def require_packages(serving: Serving, models: Sequence[str], *, say: Say) -> None:
    """Check that the container of `serving` would have what the Python models among `models` import.

    What may never be reached (an import in a function, say) is told to `say` and no more.

    Raises:
        MissingTool: there is no Docker daemon, or we may not use it.
        ServerError: a package is not there, or the image cannot be asked.
    """
    repository, release = serving.repository, serving.release
    folders = tuple(asking(repository, models, Target(release=release)))
    if not folders:
        return
    from builder.server.docker.daemon import connected
    from builder.server.docker.images import find_image, image_name

    image = image_name(serving.container.image, release)
    with connected() as daemon:
        lacks = _lacks(daemon, find_image(daemon, image, say), repository, folders, release, say)
    for one in lacks:
        if not one.is_certain:
            say(f"{_told(one)} is not in {image}; whether it is reached is not known")
    if certain := [one for one in lacks if one.is_certain]:
        raise _refused(image, certain)


def _lacks(
    daemon: "Daemon", image: "Found", repository: Path, folders: Sequence[Path], release: Release, say: Say
) -> tuple[Lacking, ...]:
    """Return what the models import and the image lacks; it is asked unless its labels answer for all."""
    from builder.server.docker.inside import look_inside

    models = [folder.name for folder in folders]
    if image.python:
        labelled = {name.replace("-", "_"): True for name in image.packages}
        target = Target(release=replace(release, python=image.python), packages=labelled)
        if not any(lacking(repository, models, target)):
            return ()
    names = asked_for(folders, release)
    if names <= _EVERYWHERE:
        return ()
    say(f"asking {image.name} for its Python packages")
    inside = look_inside(daemon, image, names)
    target = Target(release=replace(release, python=inside.python), packages=inside.packages)
    return tuple(lacking(repository, models, target))


def _refused(image: str, lacks: Sequence[Lacking]) -> ServerError:
    names = unique(_project(one.package) for one in lacks)
    undelivered = unique(_project(one.package) for one in lacks if not one.beside)
    options = " ".join(f"--requirements {name}" for name in names)
    taken = f"`python: {{requirements: [{', '.join(undelivered)}]}}`"
    along = f"; a function of trb.yaml takes it along: {taken}, and build again" if undelivered else ""
    return ServerError(
        f"{image} does not have what Python models import:\n" + "\n".join(f"  {_told(one)}" for one in lacks),
        fix=f"build an image that has it: `trb image build {options}`, or name one with --image{along}",
    )


def _told(one: Lacking) -> str:
    beside = f", which lies beside it for Python {one.beside} alone" if one.beside else ""
    return f"{one.model}: `{one.package}` ({one.path}:{one.line}){beside}"


def _project(package: str) -> str:
    """Return the name under which pip knows a package, where it is installed here; else that of the package."""
    return next(iter(metadata.packages_distributions().get(package, ())), package)
