from pathlib import Path
from typing import Any

import click

from builder.cli import options, out


@click.group(name="image")
def command() -> None:
    """Make our Triton for CPUs as a Docker image.

    Example: trb image build
    """


@command.command(name="build")
@options.spec_file
@click.option("--tag", metavar="NAME[:TAG]", help="Its name. Default: trb-triton:RELEASE-cpu.")
@click.option(
    "--triton",
    metavar="RELEASE",
    help="The release whose ONNX Runtime and limits it has. Default: the spec's; without one 24.10.",
)
@click.option("--base", metavar="IMAGE", help="What it is built on. Default: debian:bookworm-slim.")
@click.option("--network", metavar="MODE", help="Of the build, as for `docker build`, such as host.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["torch", "onnxruntime"]),
    help="Leave this out, and the backend that runs in it. May be given again.",
)
@click.option(
    "--requirements",
    multiple=True,
    metavar="FILE|REQUIREMENT",
    help="Packages for Python models, as pip takes them: 'pillow==12.3.0', or a file. May be given again.",
)
@click.option(
    "--context",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Only write the build context into this folder, for a build elsewhere.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all that the build says to this file.",
)
@options.as_json
def build(spec_file: Path, folder: Path | None, as_json: bool, **wishes: Any) -> None:
    """Build the image, its wheels resolved here; with the same inputs nothing is built.

    Example: trb image build --requirements pillow==12.3.0
    """
    from builder.flow import image

    given = {name: value for name, value in wishes.items() if value is not None}
    request = image.ImageRequest(**given)
    with out.steps() as step:
        if folder is None:
            report: Any = image.build(spec_file, request, step=step)
        else:
            report = image.write_context(spec_file, request, folder, step=step)
    out.show(report, as_json=as_json)
