from pathlib import Path
from typing import Any

import click

from builder.cli import options, out


@click.command(name="check")
@options.models
@options.spec_file
@options.door
@options.against
@options.as_json
@options.junit
def command(
    models: tuple[str, ...],
    spec_file: Path,
    door: Any,
    against: Any,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Prove on a live Triton that models answer like PyTorch: the hard gate.

    Example: trb check digits --junit report.xml
    """
    from builder.flow.check import check

    out.remove_junit(junit)
    with out.steps() as step:
        report = check(spec_file, models, door=door(), against=against(), step=step)
    out.write_junit(report, junit)
    out.show(report, as_json=as_json)
    out.finish(report)
