"""What `trb lint` shows: a line a finding, in the form that editors and terminals make a link of."""

from collections.abc import Mapping
from typing import Final

from builder.report import words
from builder.report.page import Line, Page, Style
from builder.spec.findings import Finding, LintReport, Severity

_STYLES: Final[Mapping[str, Style]] = {"+": "good", "-": "bad", "@": "heading"}


def page(report: LintReport) -> Page:
    """Return a line for each finding, what was changed, then the verdict."""
    return (
        *map(_line, report.findings),
        *(
            Line(f"{change.path}: {words.plural(change.edits, 'place')} mended", "good")
            for change in report.changes
            if change.is_written
        ),
        Line(verdict(report), "good" if report.passed else "bad"),
    )


def verdict(report: LintReport) -> str:
    """Return the last line: what was looked at, and how it ended."""
    counts = (
        (report.errors, "error"),
        (report.warnings, "warning"),
        (sum(not change.is_written for change in report.changes), "proposed change"),
    )
    told = ", ".join(words.plural(count, noun) for count, noun in counts if count)
    return (
        f"{'PASS' if report.passed else 'FAIL'}: {words.plural(report.models, 'model')} against Triton "
        f"{report.release}: {told or 'nothing to say'} ({report.seconds:.1f} s)"
    )


def diff_page(report: LintReport) -> Page:
    """Return what `--fix` would change, as `patch` reads it."""
    lines = (line for change in report.changes for line in change.diff.split("\n")[:-1])
    return tuple(Line(line, _STYLES.get(line[:1], "plain")) for line in lines)


def _line(finding: Finding) -> Line:
    place = ":".join((finding.path, *(str(one) for one in (finding.line, finding.column) if one)))
    style: Style = "bad" if finding.severity is Severity.ERROR else "warning"
    fix = f" | fix: {finding.fix}" if finding.fix else ""
    return Line(f"{place}: {finding.severity} {finding.code}: {finding.message}{fix}", style)
