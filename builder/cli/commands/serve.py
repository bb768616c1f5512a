import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from builder.cli import options, out

_ENDING = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY_S = 1.0


@click.command(name="serve")
@options.spec_file
@click.option(
    "--server",
    type=click.Choice(["embedded", "docker"]),
    default="embedded",
    show_default=True,
    help="Started here, or in a container.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Serve this folder of models, without a spec.",
)
@click.option("--http-port", type=click.IntRange(1, 65535), help="HTTP port. Default: a free one.")
@click.option("--grpc-port", type=click.IntRange(1, 65535), help="gRPC port. Default: a free one.")
@click.option("--poll", is_flag=True, help="Load new versions as they are published.")
@click.option("--detach", is_flag=True, help="Leave the server running and return.")
@click.option("--stop", is_flag=True, help="Stop the detached server of this repository.")
@options.target_torch
@options.ready_timeout
@options.container
@options.as_json
def command(spec_file: Path, detach: bool, stop: bool, as_json: bool, container: Any, **wishes: Any) -> None:
    """Serve the repository on a Triton started here or in a container, until Ctrl-C.

    Example: trb serve --http-port 8000
    """
    from builder.flow import serve

    request = serve.ServeRequest(container=container(), **wishes)
    if stop:
        serve.stop(spec_file, request)
        out.note("stopped")
    elif detach:
        with out.steps() as step:
            served = serve.detach(spec_file, request, step=step)
        out.show(served, as_json=as_json)
    else:
        _serve_until_told(spec_file, request, as_json=as_json)


def _serve_until_told(spec_file: Path, request: Any, *, as_json: bool) -> None:
    from builder.flow import serve

    told: list[int] = []
    with ExitStack() as stack:
        for number in _ENDING:
            stack.callback(signal.signal, number, signal.getsignal(number))
        with out.steps() as step:  # the display ends before the server does
            served = stack.enter_context(serve.serving(spec_file, request, step=step))
        for number in _ENDING:
            # Not blocked: a signal is for any thread, and one that does not block it would let it end the process.
            signal.signal(number, lambda number, _: told.append(number))
        out.show(served, as_json=as_json)
        while not told and signal.sigtimedwait(_ENDING, _LOOK_EVERY_S) is None:
            serve.require_running(served)
    out.note("stopped")
