"""Lint's verdict on every case, and that it is the server's."""

from pathlib import Path

import pytest

from builder.lint import Target, lint, places
from builder.spec.releases import release
from tests.lint.case import Case, cases

CASES = cases()
TARGET = Target(release=release("24.10"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_lint_says_what_the_case_expects(case: Case, tmp_path: Path) -> None:
    """The codes and severities of the findings are those of the case, no more and no fewer."""
    _, findings = lint(places([case.lay_out(tmp_path)]), TARGET, jobs=1)

    said = sorted({f"{finding.severity} {finding.code}" for finding in findings})
    assert said == case.expected, "\n".join(f"{f.path}:{f.line} {f.code} {f.message}" for f in findings)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_error_is_what_the_server_refuses(case: Case) -> None:
    """Lint has an error exactly where the server refuses the model or a request, or the case says why not."""
    server = case.header.get("genuine", case.header["server"])
    is_error = any(said.startswith("error") for said in case.expected)

    assert is_error == (server != "ready") or "differs" in case.header


def test_the_set_is_large_and_even() -> None:
    """There are at least 120 cases, about as many that are served as that are not."""
    good = sum(case.header.get("genuine", case.header["server"]) == "ready" for case in CASES)

    assert len(CASES) >= 120
    assert 0.4 <= good / len(CASES) <= 0.6


def test_no_two_cases_have_a_name_in_common() -> None:
    """All cases fit into one repository."""
    models = [model for case in CASES for model in case.models]

    assert len(models) == len(set(models))
