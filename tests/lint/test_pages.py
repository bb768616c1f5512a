"""Every code has a page, and every example on it is what it says."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from builder.cli import main
from builder.flow.lint import LintRequest, lint_repositories
from builder.lint.pages import pages
from builder.spec.findings import Finding
from tests.lint.page import Examples, examples, lay_out

BUILDER = Path(__file__).parents[2] / "builder"
CODES = sorted(
    {code for path in BUILDER.rglob("*.py") for code in re.findall(r'"([CEOPRT]\d{3})"', path.read_text())}
)
CODES.remove("T208")  # `trb build` alone says it: who wrote a config by hand may mean any order
PAGES = [examples(page) for page in pages().values()]
WITHOUT_EXAMPLE = ("R112", "R123")
"""Codes whose example would be a file that crashes its reader, or holds it up."""


def found(page: Examples, section: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    """Return what a run as the page describes finds in the example."""
    lay_out(section, folder)
    monkeypatch.chdir(folder)
    root = click.Context(main, info_name="trb", **main.context_settings)
    command = main.get_command(root, "lint")
    assert command is not None
    given = command.make_context("lint", [*page.arguments], parent=root).params
    request = LintRequest(
        paths=given["paths"] or (Path(),), triton=given["triton"] or "24.10", gpus=given["gpus"], jobs=1
    )
    return lint_repositories(Path("trb.yaml"), request).findings


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """The pages are those of the codes that findings carry."""
    assert list(pages()) == CODES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)
def test_the_bad_example_is_found(page: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bad example has this code and no other, with the severity and the words that the page says."""
    if page.code in WITHOUT_EXAMPLE:
        return
    findings = found(page, page.bad, tmp_path, monkeypatch)

    assert {finding.code for finding in findings} == {page.code}, findings
    assert {finding.severity.value for finding in findings} <= set(page.severities)
    assert set(page.words) <= {finding.message for finding in findings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)
def test_the_good_example_is_clean(page: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found in the good example."""
    if page.code in WITHOUT_EXAMPLE:
        return
    assert found(page, page.good, tmp_path, monkeypatch) == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.code)
def test_a_page_says_how_to_get_out(page: Examples) -> None:
    """Every page ends in the fix."""
    assert pages()[page.code].text.rpartition("\n## ")[2].startswith("Fix\n\n")


def test_explain_prints_the_page() -> None:
    """`--explain CODE` prints what docs/lint/CODE.md says, however the code is written."""
    done = CliRunner().invoke(main, ["lint", "--explain", "o203"])

    assert done.stdout == pages()["O203"].text
    assert done.exit_code == 0


@pytest.mark.parametrize("arguments", [["--explain"], ["--explain", "all"]])
def test_explain_lists_all_codes(arguments: list[str]) -> None:
    """Without a code there is a line for each, with its title."""
    done = CliRunner().invoke(main, ["lint", *arguments])

    assert [line.split()[0] for line in done.stdout.splitlines()] == CODES
    assert pages()["O203"].title in done.stdout


def test_a_code_that_is_none_is_a_mistake_of_usage() -> None:
    """An unknown code ends with exit code 2 and the nearest codes."""
    done = CliRunner().invoke(main, ["lint", "--explain", "O2O3"])

    assert done.exit_code == 2
    assert "O203" in done.stderr
