"""What `trb lint` shows: a line a finding, in the form that editors and terminals make a link of."""

from collections.abc import Iterator

from builder.report import words
from builder.report.page import Line, Page, Style
from builder.spec.findings import Finding, LintReport, Severity


def page(report: LintReport) -> Page:
    """Return a line for each finding, its fix below it, then the verdict."""
    return (*(line for finding in report.findings for line in _lines(finding)), _verdict(report))


def _lines(finding: Finding) -> Iterator[Line]:
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line else finding.path
    style: Style = "bad" if finding.severity is Severity.ERROR else "warning"
    yield Line(f"{place}: {finding.severity} {finding.code}: {finding.message}", style)
    if finding.fix:
        yield Line(f"  fix: {finding.fix}")


def _verdict(report: LintReport) -> Line:
    told = ", ".join(
        words.plural(count, noun)
        for count, noun in ((report.errors, "error"), (report.warnings, "warning"))
        if count
    )
    return Line(
        f"{'PASS' if report.passed else 'FAIL'}: {words.plural(report.models, 'model')} against Triton "
        f"{report.release}: {told or 'nothing to say'} ({report.seconds:.1f} s)",
        "good" if report.passed else "bad",
    )
