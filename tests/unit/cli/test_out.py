"""Where a command leaves its reports."""

from pathlib import Path

import click

from builder.cli import main, out
from builder.spec.results import CheckReport


def test_a_junit_report_gets_the_folders_it_lacks_and_the_help_says_so(tmp_path: Path) -> None:
    """A path through folders that do not exist is written, and the option's help announces it."""
    out.write_junit(CheckReport(models=(), server="s"), tmp_path / "report" / "of" / "x.xml")

    command = main.get_command(click.Context(main), "check")
    (option,) = (one for one in command.params if one.name == "junit") if command else ()
    assert "<testsuites" in (tmp_path / "report" / "of" / "x.xml").read_text()
    assert isinstance(option, click.Option)
    assert "missing folders are made" in (option.help or "")
