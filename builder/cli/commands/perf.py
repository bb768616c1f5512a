from pathlib import Path
from typing import Any

import click

from builder.cli import options, out


@click.command(name="perf")
@options.models
@options.spec_file
@options.door
@click.option(
    "-c", "--concurrency", type=click.IntRange(min=1), multiple=True, help="Requests in flight; repeatable."
)
@click.option(
    "-r",
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    help="Requests per second, open loop; repeatable.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["constant", "poisson"]),
    default="poisson",
    show_default=True,
    help="Spacing of open-loop requests.",
)
@click.option(
    "-b", "--batch", type=click.IntRange(min=1), help="Rows per request. Default: the budget's, else 1."
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="AXIS=N",
    help="Size of a dynamic axis; repeatable. Default: its max.",
)
@click.option(
    "--protocol",
    type=click.Choice(["grpc", "http"]),
    default="grpc",
    show_default=True,
    help="How requests travel.",
)
@click.option(
    "--input-data",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Inputs from an .npz or perf_analyzer JSON file.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "perf_analyzer", "trb"]),
    default="auto",
    show_default=True,
    help="What makes the load.",
)
@click.option(
    "--window",
    "window_s",
    type=options.Duration(),
    default="2s",
    show_default=True,
    help="Length of a window.",
)
@click.option(
    "--max-windows",
    type=click.IntRange(min=3),
    default=10,
    show_default=True,
    help="Windows after which a result counts as unstable.",
)
@options.as_json
def command(
    spec_file: Path,
    models: tuple[str, ...],
    door: Any,
    window_s: float,
    max_windows: int,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Measure latency and throughput under load, and hold them to the budget.

    Example: trb perf digits -c 1 -c 4 -c 16
    """
    from builder.flow.perf import PerfRequest, perf
    from builder.perf.settings import Settings

    request = PerfRequest(settings=Settings(window_s=window_s, max_windows=max_windows), **wishes)
    with out.steps() as step:
        report = perf(spec_file, models, door=door(), request=request, step=step)
    out.show(report, as_json=as_json)
    out.finish(report)
