"""What `trb lint` prints for people and for machines."""

import json
from dataclasses import replace

from builder.report import as_json, github, human
from builder.spec.findings import Edit, Finding, LintReport, Severity

WRONG_NAME = Finding(
    code="O202",
    severity=Severity.ERROR,
    model="m",
    path="r/m/config.pbtxt",
    line=3,
    column=9,
    message="unexpected inference input 'inp', allowed inputs are: x",
    fix='name: "x"',
    edit=Edit(start=40, end=51, text='name: "x"'),
)
EMPTY = Finding(
    code="R101", severity=Severity.WARNING, model="", path="r", message="there is no model in this repository"
)
REPORT = LintReport(repositories=("r",), release="24.10", models=1, findings=(WRONG_NAME, EMPTY), seconds=0.5)


def test_a_line_is_a_place_that_a_terminal_can_open() -> None:
    """The text has place, severity, code and sentence on one line, the fix below, and the verdict at the end."""
    assert human.render(REPORT, on_terminal=False) == (
        "r/m/config.pbtxt:3:9: error O202: unexpected inference input 'inp', allowed inputs are: x\n"
        '  fix: name: "x"\n'
        "r: warning R101: there is no model in this repository\n"
        "FAIL: 1 model against Triton 24.10: 1 error, 1 warning (0.5 s)\n"
    )


def test_json_has_every_field_and_the_verdict() -> None:
    """The JSON report names its kind, its verdict and each finding with its edit."""
    plain = json.loads(as_json.render(REPORT))

    assert (plain["kind"], plain["passed"], plain["exit_code"]) == ("lint", False, 5)
    assert plain["findings"][0]["edit"] == {"start": 40, "end": 51, "text": 'name: "x"'}
    assert plain["findings"][1]["severity"] == "warning"


def test_github_gets_one_command_a_finding() -> None:
    """Errors and warnings become annotations at their place; a finding without a line has none."""
    assert github.render(REPORT) == (
        "::error file=r/m/config.pbtxt,line=3,col=9,title=trb lint O202::unexpected inference input 'inp', "
        'allowed inputs are: x%0Afix: name: "x"\n'
        "::warning file=r,title=trb lint R101::there is no model in this repository\n"
    )


def test_nothing_in_a_name_or_a_message_breaks_out_of_a_command() -> None:
    """Line ends, percent signs, commas and colons are escaped where GitHub would take them for its own."""
    odd = replace(EMPTY, path="a,b:c%\nd", message="100%\r\n::error::no")

    assert github.render(replace(REPORT, findings=(odd,))) == (
        "::warning file=a%2Cb%3Ac%25%0Ad,title=trb lint R101::100%25%0D%0A::error::no\n"
    )


def test_a_clean_report_is_no_annotation() -> None:
    """Without findings GitHub's form is empty."""
    assert github.render(replace(REPORT, findings=())) == ""
