"""What `trb demo` shows."""

from builder.report import build_page, check_page, perf_page
from builder.report.page import Line, Page
from builder.spec.results import DemoReport


def page(report: DemoReport) -> Page:
    """Return what every stage shows, one after the other, and the next command to type."""
    blocks = [Line(report.accuracy), Line(), Line("Built", "heading"), *build_page.page(report.build)]
    if report.check is not None:
        blocks += [Line(), Line("Checked", "heading"), *check_page.page(report.check)]
    if report.perf is not None:
        blocks += [Line(), Line("Measured", "heading"), *perf_page.page(report.perf)]
    return (*blocks, Line(), *_next(report))


def _next(report: DemoReport) -> Page:
    if report.exit_code:
        return (Line("FAIL: the demo stopped at the stage above", "bad"),)
    return (
        Line(f"The project is in {report.folder}. Next:"),
        Line(f"  cd {report.folder} && trb serve", "heading"),
    )
