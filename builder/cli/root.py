"""The root group: finds commands, and is the one place that turns errors into text and an exit code."""

import importlib
import sys
from contextlib import suppress
from typing import Any, Final

import click

from builder import __version__
from builder.cli import out
from builder.errors import Interrupted, TrbError

_COMMANDS: Final = {
    "init": "Write a commented trb.yaml for a callable that gives an nn.Module.",
    "build": "Export models, prove the files offline, write the repository.",
    "lint": "Tell what a Triton release would refuse in a repository, without a server.",
    "serve": "Serve the repository on a Triton started here or in a container, until Ctrl-C.",
    "check": "Prove on a live Triton that models answer like PyTorch: the hard gate.",
    "perf": "Measure latency and throughput under load, and hold them to the budget.",
    "graph": "Draw a pipeline: its steps, the tensors between them, and the time in each.",
    "compose": "Write a compose.yaml: Triton, Prometheus, and Grafana with a dashboard of the models.",
    "image": "Make our Triton for CPUs as a Docker image.",
    "doctor": "Say what this machine has, what is missing, and how to get it.",
    "demo": "Go the whole way on a real, small model: train, build, serve, check, measure.",
    "completion": "Print the script that completes `trb` in your shell.",
}
"""First line of each command's help, here so that `trb --help` need not import the commands; a test compares them."""
_INTERRUPTED: Final = 130


class Root(click.Group):
    """Loads a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of a model's way."""
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command called `cmd_name`."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"builder.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of this name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0] if args else "", _COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near and "Did you mean" not in error.message else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a foreseen failure ends as its message and its exit code."""
        try:
            return super().invoke(ctx)
        except TrbError as error:
            if ctx.params["debug"]:
                raise
            out.failure(error.what, fix=error.fix)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt as error:
            with suppress(OSError):  # the terminal may be what has gone
                out.failure("interrupted; nothing half-done was left behind")
            ctx.exit(error.exit_code if isinstance(error, Interrupted) else _INTERRUPTED)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="trb")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show the commands that are run and what the exporters say."
)
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def main(verbose: bool, debug: bool) -> None:  # noqa: ARG001 - debug is read from the context
    """Turn PyTorch models into a Triton model repository that is proven on a live server.

    \b
    trb init model:load    write a commented trb.yaml
    trb build              export, prove offline, write the repository
    trb check              same numbers as PyTorch, on a live Triton
    """  # noqa: D301 - \b is click's mark for lines to keep
    import logging  # here, because --help has no use for it

    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("trb").setLevel(logging.INFO if verbose else logging.WARNING)
