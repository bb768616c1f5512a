from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="check")
@options.models
@options.spec_file
@options.server
@options.grpc_url
@options.target_torch
@options.ready_timeout
@options.as_json
@options.junit
def command(
    models: tuple[str, ...],
    spec_file: Path,
    server: str,
    grpc_url: str | None,
    target_torch: bool,
    ready_timeout_s: float,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Prove on a live Triton that models answer like PyTorch: the hard gate.

    Example: trb check digits --junit report.xml
    """
    from builder.flow.check import check
    from builder.flow.door import Door

    door = Door(server=server, grpc_url=grpc_url, target_torch=target_torch, ready_timeout_s=ready_timeout_s)
    with out.steps() as step:
        report = check(spec_file, models, door=door, step=step)
    out.write_junit(report, junit)
    out.show(report, as_json=as_json)
    out.finish(report)
