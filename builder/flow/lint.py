"""`trb lint`: what a release's server would say of a repository, without the server."""

import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.lint import Place, Target, asked_for, lint, packages_in, places, printable
from builder.lint.folder import model_folders
from builder.lint.pages import pages
from builder.spec.findings import Finding, LintReport
from builder.spec.releases import Release, release, releases

if TYPE_CHECKING:
    from builder.spec.project import ReadProject


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRequest:
    """What to look at, and what of it to report."""

    paths: tuple[Path, ...] = ()
    """Repositories, models or config.pbtxt files; empty: the repository of the spec, else model_repository."""
    triton: str | None = None
    """The target release; None: the spec's, else the newest that is known."""
    gpus: int | None = None
    """How many GPUs the server has; None: not known."""
    select: tuple[str, ...] = ()
    """Starts of the codes to report; empty: all."""
    ignore: tuple[str, ...] = ()
    """Starts of the codes to leave out."""
    strict: bool = False
    probe_image: str | None = None
    """The image that is asked which Python packages it has; None: none is."""
    jobs: int | None = None


def lint_repositories(
    spec_file: Path, request: LintRequest, *, texts: Mapping[Path, str] | None = None
) -> LintReport:
    """Look at the repositories that `request` names.

    Args:
        spec_file: the spec; it need not be there.
        request: what to look at.
        texts: what some config.pbtxt files are taken to say instead of what they do.

    Raises:
        UsageError: no code starts as `select` or `ignore` says.
        SpecError: the release is not known, or trb.yaml was needed and has mistakes.
        RepositoryError: a path is not there, or cannot be listed.
        MissingTool: Docker does not run the image that is to be probed.
    """
    select, ignore = _codes(request.select), _codes(request.ignore)
    started = time.monotonic()
    wanted = target_release(spec_file, request.triton)
    paths = request.paths or (_repository(spec_file),)
    asked = places(paths)
    image = request.probe_image
    inside = packages_in(image, _asked_for(asked, wanted)) if image else None
    target = Target(
        release=replace(wanted, python=inside.python) if inside else wanted,
        gpus=request.gpus,
        packages=inside.packages if inside else None,
    )
    count, findings = lint(asked, target, jobs=request.jobs, texts=texts)
    return LintReport(
        repositories=tuple(printable(str(path)) for path in paths),
        release=target.release.name,
        models=count,
        findings=tuple(finding for finding in findings if _is_wanted(finding, select, ignore)),
        strict=request.strict,
        seconds=time.monotonic() - started,
    )


def _asked_for(asked: Sequence[Place], wanted: Release) -> frozenset[str]:
    """Return what the models import; all of a repository, as ensembles are made of those that are not asked for."""
    return asked_for((folder for place in asked for folder in model_folders(place.repository)), wanted)


def target_release(spec_file: Path, asked: str | None) -> Release:
    """Return the release that is asked for; if none is, the spec's, else the newest that is known.

    Raises:
        SpecError: it is not known, or trb.yaml has mistakes.
    """
    if asked is not None:
        return release(asked)
    return release(_spec(spec_file).project.triton) if spec_file.exists() else releases()[-1]


def _repository(spec_file: Path) -> Path:
    if spec_file.exists():
        return _spec(spec_file).repository
    default = Path("model_repository")
    if not default.is_dir():
        raise UsageError(
            f"there is neither {spec_file} nor a folder model_repository here",
            fix="trb lint path/to/repository",
        )
    return default


def _spec(spec_file: Path) -> "ReadProject":
    from builder import readspec  # pydantic takes longer to import than a small repository to lint

    return readspec.read(spec_file)


def _is_wanted(finding: Finding, select: tuple[str, ...], ignore: tuple[str, ...]) -> bool:
    return (not select or finding.code.startswith(select)) and not (
        ignore and finding.code.startswith(ignore)
    )


def _codes(starts: Sequence[str]) -> tuple[str, ...]:
    """Return `starts` as codes are written.

    Raises:
        UsageError: no code starts so, and nothing would ever be found, or left out.
    """
    known = tuple(pages())
    upper = tuple(start.strip().upper() for start in starts)
    for start in upper:
        if not start or not any(code.startswith(start) for code in known):
            near = [f"did you mean {code}? " for code in difflib.get_close_matches(start, known, n=1)]
            raise UsageError(
                f"no code of trb lint starts with {start!r}",
                fix="".join(near) + "`trb lint --explain all` lists them",
            )
    return upper
