"""A lint report as SARIF 2.1.0, which code hosts show beside the lines of a change.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from builder import __version__
from builder.lint.pages import pages
from builder.spec.findings import Finding, LintReport

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: LintReport) -> str:
    """Return `report` as one SARIF log that ends with a newline; its paths are from the working directory."""
    codes = sorted({finding.code for finding in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "trb lint",
                "version": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": report.exit_code}],
        "results": [_result(finding, codes.index(finding.code)) for finding in report.findings],
    }
    return (
        json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _rule(code: str) -> dict[str, Any]:
    page = pages()[code]
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": page.severity.split()[0]},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    # GitHub shows nothing that has no region, though a folder has no lines.
    region = {"startLine": finding.line or 1, "startColumn": finding.column or 1}
    place = {"artifactLocation": {"uri": _uri(finding.path)}, "region": region}
    said = f"{finding.message}\nFix: {finding.fix}" if finding.fix else finding.message
    found = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": said},
        "locations": [{"physicalLocation": place}],
    }
    return found if finding.edit is None else found | {"fixes": [_fix(finding)]}


def _fix(finding: Finding) -> dict[str, Any]:
    edit = finding.edit
    assert edit is not None, "only asked for findings with an edit"
    replacement = {
        "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
        "insertedContent": {"text": edit.text},
    }
    return {
        "description": {"text": finding.fix},
        "artifactChanges": [{"artifactLocation": {"uri": _uri(finding.path)}, "replacements": [replacement]}],
    }


def _uri(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(Path(path).as_posix())
