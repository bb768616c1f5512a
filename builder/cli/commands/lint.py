from pathlib import Path
from typing import Any

import click

from builder.cli import options, out


@click.command(name="lint")
@click.argument("paths", nargs=-1, metavar="[REPOSITORY]...", type=click.Path(path_type=Path))
@options.spec_file
@click.option(
    "--triton", metavar="RELEASE", help="Target release. Default: the spec's, else the newest known."
)
@click.option("--gpus", type=click.IntRange(min=0), help="GPUs of the server. Default: not known.")
@click.option("--select", multiple=True, metavar="CODE", help="Report only codes that start so; repeatable.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out codes that start so; repeatable.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Models read at once. Default: one a core.")
@options.as_json
def command(spec_file: Path, paths: tuple[Path, ...], as_json: bool, **wishes: Any) -> None:
    """Tell what a Triton release would refuse in a repository, without a server.

    Example: trb lint model_repository --triton 24.10
    """
    from builder.flow.lint import LintRequest, lint_repositories

    report = lint_repositories(spec_file, LintRequest(paths=paths, **wishes))
    out.show(report, as_json=as_json)
    out.finish(report)
