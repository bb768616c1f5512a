from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="graph")
@click.argument("pipelines", nargs=-1, metavar="[PIPELINE]...")
@options.spec_file
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Draw the ensembles of this repository, hand-written ones too; no spec is read.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "mermaid", "svg", "json"]),
    default="tree",
    show_default=True,
    help="How it is drawn.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, whole or not at all; missing folders are made. Default: stdout.",
)
def command(
    pipelines: tuple[str, ...], spec_file: Path, repository: Path | None, form: str, output: Path | None
) -> None:
    """Draw a pipeline: its steps, the tensors between them, and the time in each.

    Example: trb graph --format svg --output pipeline.svg
    """
    from builder.flow.graph import graph, graph_repository

    report = graph(spec_file, pipelines) if repository is None else graph_repository(repository, pipelines)
    out.show_graph(report, form, output)
