"""What `trb build` has made, by the rules of `trb lint`, before it is published."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from builder.errors import ExportError
from builder.lint import Place, Target, lint, lint_model
from builder.repository.layout import STAGED_VERSION
from builder.spec.findings import Finding, Severity
from builder.spec.releases import Release


def require_served(stage: Path, triton_name: str, release: Release) -> None:
    """Make sure that Triton `release` loads what lies in `stage` and answers requests.

    Raises:
        ExportError: it does not, in the server's own words as far as it has any.
    """
    with TemporaryDirectory(dir=stage.parent) as room:
        model = Path(room) / triton_name
        lay_out(stage, model)
        # Where the model will run is not known here; a server without the GPUs that the spec asks for says so itself.
        findings = lint_model(model, Target(release=release)).findings
    _refuse(triton_name, findings, release)


def require_pipeline_served(
    repository: Path, stages: Mapping[str, Path], triton_name: str, release: Release
) -> None:
    """Make sure that Triton `release` loads an ensemble, with the models of `repository` beside what is staged.

    Args:
        repository: has the models that are not staged.
        stages: by name in the repository; they hide what the repository has under these names.
        triton_name: the ensemble.
        release: the target.

    Raises:
        ExportError: it does not, in the server's own words as far as it has any.
    """
    with TemporaryDirectory(dir=stages[triton_name].parent) as room:
        for name, stage in stages.items():
            lay_out(stage, Path(room) / name)
        for model in repository.iterdir() if repository.is_dir() else ():
            if model.is_dir() and model.name not in stages:
                (Path(room) / model.name).symlink_to(model.absolute())
        place = Place(repository=Path(room), models=frozenset({triton_name}))
        _, findings = lint([place], Target(release=release))
    _refuse(triton_name, findings, release)


def lay_out(stage: Path, model: Path) -> None:
    """Make a model folder of a stage, by links."""
    model.mkdir()
    for entry in stage.absolute().iterdir():
        (model / ("1" if entry.name == STAGED_VERSION else entry.name)).symlink_to(entry)


def _refuse(triton_name: str, findings: Sequence[Finding], release: Release) -> None:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        told = "\n".join(f"  {finding.code}: {finding.message}" for finding in errors)
        raise ExportError(
            f"{triton_name}: Triton {release.name} would not serve it:\n{told}",
            fix="change what it names in trb.yaml; `triton:` says for which release the model is built, "
            f"`trb lint --explain {errors[0].code}` what the server checks",
        )
