"""The root group: what it lists, and how failures end."""

import click
import pytest
from click.testing import CliRunner

from builder.cli.root import _COMMANDS, main
from builder.errors import (
    BudgetMissed,
    DeployError,
    ExportError,
    MissingTool,
    ParityFailed,
    RepositoryError,
    ServerError,
    SpecError,
    TrbError,
    UsageError,
)

CODES = {
    UsageError: 2,
    SpecError: 3,
    ExportError: 4,
    RepositoryError: 5,
    ServerError: 6,
    ParityFailed: 7,
    BudgetMissed: 8,
    DeployError: 9,
    MissingTool: 10,
}


def failing(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("fail", callback=fail)


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    """`trb --help` shows the first line of each command's own help."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert (command.help or "").strip().splitlines()[0] == _COMMANDS[name]
    assert "Example: trb" in (command.help or "")


@pytest.mark.parametrize("kind", CODES)
def test_each_failure_has_its_exit_code(kind: type[TrbError], monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreseen failure ends as its message, its fix and the code of its class."""
    monkeypatch.setattr(main, "get_command", lambda *_: failing(kind("it broke", fix="mend it")))

    done = CliRunner().invoke(main, ["fail"])

    assert done.exit_code == CODES[kind]
    assert "error: it broke" in done.stderr
    assert "fix: mend it" in done.stderr
    assert done.stdout == ""


def test_debug_shows_where_a_failure_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --debug the exception itself comes out."""
    monkeypatch.setattr(main, "get_command", lambda *_: failing(SpecError("it broke")))

    done = CliRunner().invoke(main, ["--debug", "fail"])

    assert isinstance(done.exception, SpecError)


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody foresaw comes out as it is."""
    monkeypatch.setattr(main, "get_command", lambda *_: failing(ZeroDivisionError()))

    done = CliRunner().invoke(main, ["fail"])

    assert isinstance(done.exception, ZeroDivisionError)


def test_an_interrupt_ends_with_the_shells_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is 130, without a traceback."""
    monkeypatch.setattr(main, "get_command", lambda *_: failing(KeyboardInterrupt()))

    done = CliRunner().invoke(main, ["fail"])

    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_a_misspelt_command_is_named() -> None:
    """`trb chek` asks whether `check` was meant."""
    done = CliRunner().invoke(main, ["chek"])

    assert done.exit_code == 2
    assert "Did you mean 'check'?" in done.stderr
