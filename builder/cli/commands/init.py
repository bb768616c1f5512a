from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="init")
@click.argument("source", metavar="MODULE:CALLABLE")
@options.spec_file
@click.option("--name", help="The model's name. Default: the module's.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(source: str, spec_file: Path, name: str | None, force: bool) -> None:
    """Write a commented trb.yaml for a callable that gives an nn.Module.

    Example: trb init model:load
    """
    from builder.flow.init import init

    written = init(source, spec_file, name=name, force=force)
    out.show(written)
