from pathlib import Path

import click

from builder.cli import options, out


@click.command(name="serve")
@options.spec_file
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Serve this folder, without a spec.",
)
@click.option("--http-port", type=click.IntRange(1, 65535), help="HTTP port. Default: a free one.")
@click.option("--grpc-port", type=click.IntRange(1, 65535), help="gRPC port. Default: a free one.")
@click.option("--poll", is_flag=True, help="Load new versions as they are published.")
@click.option("--detach", is_flag=True, help="Leave the server running and return.")
@click.option("--stop", is_flag=True, help="Stop the detached server of this repository.")
@options.target_torch
@options.ready_timeout
@options.as_json
def command(spec_file: Path, as_json: bool, **request: object) -> None:
    """Serve the repository on the embedded Triton until Ctrl-C.

    Example: trb serve --http-port 8000
    """
    from builder.flow.serve import ServeRequest, serve

    with out.steps() as step:
        session = serve(spec_file, ServeRequest.from_options(**request), step=step)
        served = session.start()
    out.show(served, as_json=as_json)
    session.wait()
