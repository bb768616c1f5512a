"""What `trb build` has made, by the rules of `trb lint`, before it is published."""

from pathlib import Path
from tempfile import TemporaryDirectory

from builder.errors import ExportError
from builder.lint import Target, lint_model
from builder.repository.layout import CONFIG, STAGED_VERSION, WARMUP
from builder.spec.findings import Severity
from builder.spec.releases import Release


def require_served(stage: Path, triton_name: str, release: Release) -> None:
    """Make sure that Triton `release` loads what lies in `stage` and answers requests.

    Raises:
        ExportError: it does not, in the server's own words as far as it has any.
    """
    with TemporaryDirectory(dir=stage.parent) as room:
        model = Path(room) / triton_name
        model.mkdir()
        for name, published in ((CONFIG, CONFIG), (WARMUP, WARMUP), (STAGED_VERSION, "1")):
            if (stage / name).exists():
                (model / published).symlink_to(stage.absolute() / name)
        # Where the model will run is not known here; a server without the GPUs that the spec asks for says so itself.
        findings = lint_model(model, Target(release=release)).findings
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        told = "\n".join(f"  {finding.code}: {finding.message}" for finding in errors)
        raise ExportError(
            f"{triton_name}: Triton {release.name} would not serve it:\n{told}",
            fix="change what it names in trb.yaml; `triton:` says for which release the model is built, "
            f"`trb lint --explain {errors[0].code}` what the server checks",
        )
