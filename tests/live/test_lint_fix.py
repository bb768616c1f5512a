"""What `trb lint --fix` makes of the cases of lint, on the live server."""

from pathlib import Path

import pytest

from builder.flow.fix import fix_repositories
from builder.flow.lint import LintRequest, lint_repositories
from builder.server import Serving
from builder.server.embedded import running
from builder.spec.releases import release
from tests.lint.case import Case, cases
from tests.live.test_lint_cases import verdict

# Scores of loads, all in one test.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Case]]:
    """A repository of all cases that lint has an error in, mended, and the cases that a change made clean."""
    repository = tmp_path_factory.mktemp("repository")
    wrong = [case for case in cases() if any(said.startswith("error") for said in case.expected)]
    for case in wrong:
        case.lay_out(repository)
    request = LintRequest(paths=(repository,), triton="24.10")
    report = fix_repositories(Path("trb.yaml"), request, write=True)
    changed = {Path(change.path).parent.name for change in report.changes}
    left = {finding.model for finding in report.findings}
    assert lint_repositories(Path("trb.yaml"), request).findings == report.findings
    return repository, [case for case in wrong if changed & set(case.models) and not left & set(case.models)]


def test_what_was_mended_and_is_clean_loads_and_answers(
    mended: tuple[Path, list[Case]], tmp_path: Path
) -> None:
    """Every case that --fix leaves without a finding is ready on the server, and answers."""
    repository, clean = mended
    serving = Serving(
        repository=repository, release=release("24.10"), log_dir=tmp_path, models=(), control="explicit"
    )
    with running(serving) as endpoint:
        found = {case.id: verdict(endpoint.http, case) for case in clean}

    assert len(clean) > 10
    assert {name: said for name, said in found.items() if said != "ready"} == {}
