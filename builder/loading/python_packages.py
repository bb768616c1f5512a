"""The packages that a Python function needs, in the versions installed here."""

import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builder.errors import SourceError
from builder.loading.python_modules import foreign_imports
from builder.spec.project import Model
from builder.spec.releases import Release
from builder.spec.requirements import needed

_IMAGE = frozenset({"numpy"})
"""Packages of every image; a second one would hide its own, which the server was built with."""
_BACKEND = frozenset({"triton_python_backend_utils", "c_python_backend_utils"})
"""Modules that the server gives to its Python models."""
_OWN_ENVIRONMENT = "EXECUTION_ENV_PATH"


def delivered(model: Model, release: Release) -> dict[str, str]:
    """Return the installed version of each requirement, and of all that they need on the Python of `release`.

    What is needed on that Python and not on this one has no version, unless it is installed all the same.

    Raises:
        SourceError: one is not installed, or not in a version that fits.
    """
    found: dict[str, str] = {}
    todo = [(Requirement(text), "", True) for text in model.python.requirements]
    seen = set[tuple[str, frozenset[str]]]()
    while todo:
        wanted, asked_by, is_for_here = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in _IMAGE or (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        if not is_for_here and not _is_installed(name):
            found[name] = ""
            continue
        found[name] = _installed(wanted, asked_by)
        texts = metadata.requires(name) or ()
        here = {*needed(texts, wanted.extras)}
        todo += [(one, name, one in here) for one in needed(texts, wanted.extras, release)]
    return dict(sorted(found.items()))


def require_named(modules: Mapping[str, Path], packages: Mapping[str, str], model: Model) -> None:
    """Check that every package that `modules` import, or that has the source, is among `packages`, or numpy.

    Raises:
        SourceError: one is not: the server would not have it.
    """
    top = model.source.partition(":")[0].partition(".")[0]
    source = {} if modules or top in sys.stdlib_module_names else {top: "`source`"}
    wanted = {**foreign_imports(modules), **source}
    if not wanted or _OWN_ENVIRONMENT in model.parameters:
        return
    owners = metadata.packages_distributions()
    for top, module in wanted.items():
        names = [canonicalize_name(name) for name in owners.get(top, ())]
        if not _IMAGE.union(packages) & set(names) and top not in _IMAGE | _BACKEND:
            name = names[0] if names else top
            raise SourceError(
                f"python.requirements: {module} imports `{top}`, which the server's image does not have",
                fix=f"add it: `python: {{requirements: [{name}]}}`; or, if the function does without, move it to a "
                "module that does not import it",
            )


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _installed(wanted: Requirement, asked_by: str) -> str:
    for_whom = f", which {asked_by} needs," if asked_by else ""
    asked = f"{wanted.name}{wanted.specifier}"
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        raise SourceError(
            f"python.requirements: {wanted.name}{for_whom} is not installed here",
            fix=f"pip install '{asked}'",
        ) from None
    if not wanted.specifier.contains(version, prereleases=True):
        raise SourceError(
            f"python.requirements: {asked}{for_whom} is asked for, and {version} is installed here",
            fix=f"pip install '{asked}'",
        )
    return version
