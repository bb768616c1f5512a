from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="build")
@options.models
@options.spec_file
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Models built at once."
)
@click.option("--force", is_flag=True, help="Build although nothing changed.")
@options.as_json
def command(models: tuple[str, ...], spec_file: Path, jobs: int, force: bool, as_json: bool) -> None:
    """Export models, prove the files offline, write the repository.

    Example: trb build digits -j 2
    """
    from builder.flow.build import build

    with out.steps() as step:
        report = build(spec_file, models, jobs=jobs, force=force, step=step)
    out.show(report, as_json=as_json)
    out.finish(report)
