"""What `trb lint` prints for people and for machines."""

import json
from dataclasses import replace

from builder.report import as_json, github, human, sarif
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
    """The text has place, severity, code, sentence and fix on one line, and the verdict at the end."""
    assert human.render(REPORT, on_terminal=False) == (
        "r/m/config.pbtxt:3:9: error O202: unexpected inference input 'inp', allowed inputs are: x"
        ' | fix: name: "x"\n'
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


def test_sarif_has_what_its_schema_requires() -> None:
    """The log names its version, a rule for each code, and for each result its rule, level, text and place."""
    log = json.loads(sarif.render(REPORT))
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    first, second = run["results"]

    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in driver["rules"]] == ["O202", "R101"]
    assert all(
        {"shortDescription", "help", "defaultConfiguration"} <= rule.keys() for rule in driver["rules"]
    )
    assert driver["rules"][0]["help"]["markdown"].startswith("# O202: ")
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("O202", 0, "error")
    assert first["message"]["text"].startswith("unexpected inference input")
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "r/m/config.pbtxt"},
                "region": {"startLine": 3, "startColumn": 9},
            }
        }
    ]
    assert (second["ruleIndex"], second["level"]) == (1, "warning")
    assert second["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 1}
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 5}]


def test_sarif_carries_the_edit() -> None:
    """A finding with one right answer has it as a fix, in characters."""
    (run,) = json.loads(sarif.render(REPORT))["runs"]

    assert "fixes" not in run["results"][1]
    assert run["columnKind"] == "unicodeCodePoints"
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {"deletedRegion": {"charOffset": 40, "charLength": 11}, "insertedContent": {"text": 'name: "x"'}}
    ]


def test_a_path_becomes_a_uri() -> None:
    """Blanks and percent signs are escaped; an absolute path is a file."""
    odd = (replace(EMPTY, path="my models/50%"), replace(EMPTY, path="/srv/models"))
    (run,) = json.loads(sarif.render(replace(REPORT, findings=odd)))["runs"]

    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]]
    assert uris == ["my%20models/50%25", "file:///srv/models"]


def test_a_whole_line_has_no_column() -> None:
    """What is about a line of model.py, and no part of it, is shown without a column."""
    report = replace(REPORT, findings=(replace(WRONG_NAME, path="r/m/1/model.py", column=0),))

    assert "r/m/1/model.py:3: error" in human.render(report, on_terminal=False)
    assert "line=3,title" in github.render(report)
