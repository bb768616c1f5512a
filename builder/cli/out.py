"""What a person sees: results on stdout, failures and progress on stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from builder.errors import UsageError

if TYPE_CHECKING:  # --help has no use for them
    from pathlib import Path

    from builder.spec.findings import LintReport
    from builder.spec.graph import GraphReport


def failure(what: str, *, fix: str = "") -> None:
    """Print a failure and its fix to stderr."""
    colour = _colour(sys.stderr)
    click.echo(_sendable(f"{click.style('error:', fg='red', bold=True)} {what}"), err=True, color=colour)
    if fix:
        click.echo(_sendable(f"{click.style('fix:', fg='green', bold=True)} {fix}"), err=True, color=colour)


def note(text: str) -> None:
    """Print a line to stderr."""
    click.echo(text, err=True)


def show(report: Any, *, as_json: bool = False) -> None:
    """Print a report to stdout, as text or as JSON."""
    import builder.report.as_json as json_report
    from builder.report import human

    _print(json_report.render(report) if as_json else human.render(report))


def show_lint(report: "LintReport", form: str, *, diff: bool = False) -> None:
    """Print a lint report to stdout in `form`, or the changes alone; what does not fit in there goes to stderr."""
    from builder.report import as_json, github, human, lint_page, sarif

    for_machines = {"json": as_json.render, "sarif": sarif.render, "github": github.render}
    if form in for_machines:
        _print(for_machines[form](report))
        note(lint_page.verdict(report))
    elif diff:
        _print(human.drawn(lint_page.diff_page(report)))
        click.echo(human.render(report, on_terminal=False), nl=False, err=True)
    else:
        show(report)


def show_graph(report: "GraphReport", form: str, path: "Path | None") -> None:
    """Print a drawing to stdout, or write it to `path`.

    Raises:
        UsageError: it cannot be written.
    """
    from builder.report import as_json, human, mermaid, svg

    drawings = {"mermaid": mermaid.render, "svg": svg.render, "json": as_json.render}
    if form in drawings:
        text = drawings[form](report)
    else:
        text = human.render(report, on_terminal=None if path is None else False)
    if path is None:
        _print(text)
    else:
        _write_whole(path, text)


def _write_whole(path: "Path", text: str) -> None:
    """Write a file in one step; what is no file, such as a pipe, is written as it is."""
    real = path.resolve()
    is_special = real.exists() and not real.is_file()
    beside = real if is_special else real.with_name(f".{real.name}.{os.getpid()}")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8")
            if not is_special:
                beside.replace(real)
        finally:
            if not is_special:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            fix="make room, or choose another --output",
        ) from error


def _print(text: str) -> None:
    """Write to stdout.

    Raises:
        UsageError: it cannot be written; a reader that has gone is click's affair.
    """
    try:
        click.echo(_sendable(text), nl=False, color=_colour(sys.stdout))
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # Python writes what is left as it ends, and would fail again
        raise UsageError(
            f"the report cannot be written to stdout: {error.strerror}", fix="make room, or send it elsewhere"
        ) from error


def _sendable(text: str) -> str:
    """Return `text` with an escape for each half of a letter, which an error of the user's code may quote."""
    return text.encode("utf-8", "backslashreplace").decode()


def remove_junit(path: "Path | None") -> None:
    """Remove the file of an earlier run: a run that ends without a verdict must not leave that one's."""
    if path is not None:
        path.unlink(missing_ok=True)


def write_junit(report: Any, path: "Path | None") -> None:
    """Write a check's JUnit XML to `path`, if one is given."""
    if path is not None:
        from builder.report import junit

        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(junit.render(report), encoding="utf-8")


def finish(report: Any) -> None:
    """End with the report's exit code."""
    if report.exit_code:
        click.get_current_context().exit(report.exit_code)


@contextmanager
def steps() -> Iterator[Any]:
    """Yield `step(subject, what)`: a moving display on a terminal, else plain lines."""
    if (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and not _is_verbose()
    ):
        from builder.cli.live_steps import live_steps

        with live_steps() as step:
            yield step
    else:
        yield _plain_step


def _plain_step(subject: str, what: str) -> None:
    click.echo(f"{subject}: {what}", err=True)


def _is_verbose() -> bool:
    return bool(click.get_current_context().find_root().params.get("verbose"))


def _colour(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty()) and not os.environ.get("NO_COLOR")
