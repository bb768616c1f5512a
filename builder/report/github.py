"""A lint report as workflow commands of GitHub Actions, which become annotations on the lines of a change.

Source: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from builder.spec.findings import Finding, LintReport


def render(report: LintReport) -> str:
    """Return a command for each finding, one a line; empty where there is none."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    place = {"line": finding.line, "col": finding.column}
    properties = {
        "file": finding.path,
        **{key: str(value) for key, value in place.items() if value},
        "title": f"trb lint {finding.code}",
    }
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    said = f"{finding.message}\nfix: {finding.fix}" if finding.fix else finding.message
    return f"::{finding.severity} {given}::{_data(said)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
