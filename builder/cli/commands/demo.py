from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("trb-demo"))
@options.as_json
def command(folder: Path, as_json: bool) -> None:
    """Go the whole way on a real, small model: train, build, serve, check, measure.

    Example: trb demo /tmp/my-demo
    """
    from builder.flow.demo import demo

    with out.steps() as step:
        report = demo(folder, step=step)
    out.show(report, as_json=as_json)
    out.finish(report)
