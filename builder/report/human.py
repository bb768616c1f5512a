"""A report for a person: tables on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from builder.report import build_page, check_page, demo_page, graph_page, lint_page, perf_page
from builder.report.page import Page, as_terminal, as_text
from builder.spec.findings import LintReport
from builder.spec.graph import GraphReport
from builder.spec.results import BuildReport, CheckReport, DemoReport, PerfReport

_PAGES: Final[Mapping[type, Callable[[Any], Page]]] = {
    BuildReport: build_page.page,
    CheckReport: check_page.page,
    DemoReport: demo_page.page,
    GraphReport: graph_page.page,
    LintReport: lint_page.page,
    PerfReport: perf_page.page,
}


def render(report: Any, *, on_terminal: bool | None = None, width: int | None = None) -> str:
    """Return `report` as text that ends with a newline.

    Args:
        report: a build, check or perf report; anything else speaks for itself by `str`.
        on_terminal: colour and boxes, or plain lines; None: as stdout and NO_COLOR have it.
        width: of the terminal, in characters; None: as it is.
    """
    draw = _PAGES.get(type(report))
    if draw is None:
        return f"{str(report).rstrip()}\n"
    return drawn(draw(report), on_terminal=on_terminal, width=width)


def drawn(page: Page, *, on_terminal: bool | None = None, width: int | None = None) -> str:
    """Return `page` as text; the rest as in `render`."""
    if not (_has_terminal() if on_terminal is None else on_terminal):
        return as_text(page)
    return as_terminal(page, width=width or shutil.get_terminal_size((100, 24)).columns)


def _has_terminal() -> bool:
    # A closed stdout is None.
    can_draw = sys.stdout is not None and sys.stdout.isatty()
    return can_draw and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
