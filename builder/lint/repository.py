"""Whole repositories: every model by itself, then what they make of each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from builder.lint.ensembles import with_parts
from builder.lint.folder import is_dangling, model_folders
from builder.lint.model import ModelLint
from builder.lint.places import Place
from builder.lint.pool import lint_models
from builder.lint.target import Target
from builder.lint.text import printable
from builder.spec.findings import Finding, Severity


def lint(
    places: Sequence[Place],
    target: Target,
    *,
    jobs: int | None = None,
    texts: Mapping[Path, str] | None = None,
) -> tuple[int, tuple[Finding, ...]]:
    """Return how many models were looked at, and what was found in them.

    Args:
        places: the repositories, as one server would be given them.
        target: the release that they must load in.
        jobs: how many models are read at once; None: one a core.
        texts: what some config.pbtxt files are taken to say instead of what they do.

    Raises:
        RepositoryError: a repository cannot be listed.
    """
    of_places = [(place, path) for place in places for path in model_folders(place.repository)]
    paths = [path for _, path in of_places]
    asked = {path for place, path in of_places if _is_asked(path, place)}

    def look(chosen: Sequence[Path]) -> dict[Path, ModelLint]:
        found = lint_models(chosen, target, jobs=jobs, texts=texts or {})
        return dict(zip(chosen, found, strict=True))

    looked = look([path for path in paths if path in asked])
    if any(one.source is not None for one in looked.values()):  # ensembles are made of the other models
        looked |= look([path for path in paths if path not in asked])
    whole = with_parts({path: looked[path] for path in paths if path in looked})
    findings = [
        *(finding for path, one in whole.items() if path in asked for finding in one.findings),
        *_doubled(paths, asked),
        *_empty(places, paths),
        *(finding for place in places for finding in _dangling(place)),
    ]
    return len(asked), tuple(map(_printed, findings))


def _printed(finding: Finding) -> Finding:
    """Return `finding` with an escape for each byte of a name or a text that is no UTF-8."""
    path = printable(finding.path)
    return replace(
        finding,
        model=printable(finding.model),
        path=path,
        message=printable(finding.message),
        fix=printable(finding.fix),
        edit=finding.edit if path == finding.path else None,
    )


def _is_asked(path: Path, place: Place) -> bool:
    return place.models is None or path.name in place.models


def _doubled(paths: Sequence[Path], asked: set[Path]) -> Iterator[Finding]:
    """Yield each model whose name another repository has too: Triton makes both unavailable."""
    first: dict[str, Path] = {}
    for path in paths:
        other = first.setdefault(path.name, path)
        if other != path and not asked.isdisjoint((path, other)):
            yield Finding(
                code="R105",
                severity=Severity.ERROR,
                model=path.name,
                path=str(path),
                message=f"model '{path.name}' stands in {other.parent} too; a server given both loads neither",
                fix="rename one, or start the server with --model-namespacing=true",
            )


def _dangling(place: Place) -> Iterator[Finding]:
    """Yield the links to nowhere in a repository: it takes but one for a server to find no model at all."""
    for entry in sorted(filter(is_dangling, place.repository.iterdir())):
        yield Finding(
            code="R110",
            severity=Severity.ERROR,
            model="",
            path=str(entry),
            message=f"failed to stat file {entry.name}: it is a link to nowhere, and a server with it in its "
            "repository loads no model",
            fix="remove the link, or put back what it leads to",
        )


def _empty(places: Sequence[Place], paths: Sequence[Path]) -> Iterator[Finding]:
    parents = {path.parent for path in paths}
    for place in places:
        if place.repository not in parents:
            yield Finding(
                code="R101",
                severity=Severity.WARNING,
                model="",
                path=str(place.repository),
                message="there is no model in this repository",
                fix="a model is a folder with config.pbtxt and numbered version folders",
            )
