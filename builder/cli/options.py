"""Options that several commands share."""

import math
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_OF_DOOR: Final = ("server", "grpc_url", "target_torch", "ready_timeout_s")
_OF_AGAINST: Final = ("server", "grpc_url", "image", "gpus")
_OF_CONTAINER: Final = ("image", "gpus", "cpus", "memory_bytes", "shm_bytes", "copies", "publish")

spec_file: Decorator = click.option(
    "-f",
    "--file",
    "spec_file",
    type=click.Path(path_type=Path),
    default=Path("trb.yaml"),
    show_default=True,
    help="The spec.",
)
models: Decorator = click.argument("models", nargs=-1, metavar="[MODEL]...")
as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
junit: Decorator = click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the report as JUnit XML; missing folders are made.",
)
server: Decorator = click.option(
    "--server",
    default="embedded",
    show_default=True,
    metavar="embedded|docker|URL",
    help="Where the live Triton comes from: started here, started in a container, or one of yours "
    "(http://host:8000, grpc://host:8001).",
)
grpc_url: Decorator = click.option(
    "--grpc-url", metavar="HOST:PORT", help="gRPC address of --server URL. Default: the next port."
)
target_torch: Decorator = click.option(
    "--target-torch",
    is_flag=True,
    help="Run TorchScript models in the target release's own torch version (a large download).",
)
ready_timeout: Decorator = click.option(
    "--ready-timeout",
    "ready_timeout_s",
    type=click.FloatRange(min=1),
    help="Seconds the models may take to load. Default: 300.",
)

against_server: Decorator = click.option(
    "--against",
    "against_server",
    metavar="embedded|docker|URL",
    help="Ask this Triton the same, and hold its answers against those of --server.",
)
against_grpc_url: Decorator = click.option(
    "--against-grpc-url", metavar="HOST:PORT", help="gRPC address of --against URL. Default: the next port."
)
against_image: Decorator = click.option(
    "--against-image",
    metavar="IMAGE",
    help="Image of --against docker. Default: that of --image, else the release's official one.",
)
against_gpus: Decorator = click.option(
    "--against-gpus", metavar="all|N|device=0,1", help="GPUs for the container of --against docker."
)


def container(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `--server docker`; the command gets `container`, a function that makes a `Container`."""

    @wraps(command)
    def with_container(*arguments: Any, **given: Any) -> Any:
        wishes = {name: given.pop(name) for name in _OF_CONTAINER}

        def make() -> Any:
            from builder.server.serving import Container

            return Container(**wishes)

        return command(*arguments, container=make, **given)

    decorated: Callable[..., Any] = with_container
    for option in reversed(_container_options()):
        decorated = option(decorated)
    return decorated


def door(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live Triton; the command gets them as `door`, a function that makes a `Door`."""

    @wraps(command)
    def with_door(*arguments: Any, container: Any, **given: Any) -> Any:
        wishes = {name: given.pop(name) for name in _OF_DOOR}

        def make() -> Any:
            from builder.flow.door import Door

            return Door(container=container(), **wishes)

        return command(*arguments, door=make, **given)

    decorated: Callable[..., Any] = container(with_door)
    for option in (ready_timeout, target_torch, grpc_url, server):
        decorated = option(decorated)
    return decorated


def against(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a second Triton below those of `door`; the command gets them as `against`, likewise.

    What that function makes is None where no second one is asked for.
    """

    @wraps(command)
    def with_against(*arguments: Any, door: Callable[[], Any], **given: Any) -> Any:
        wishes = {name: given.pop(f"against_{name}") for name in _OF_AGAINST}

        def make() -> Any:
            return None if wishes["server"] is None else door().other(**wishes)

        for name, value in wishes.items():
            if wishes["server"] is None and value is not None:
                raise click.UsageError(f"--against-{name.replace('_', '-')} goes with --against")
        return command(*arguments, door=door, against=make, **given)

    decorated: Callable[..., Any] = with_against
    for option in (against_gpus, against_image, against_grpc_url, against_server):
        decorated = option(decorated)
    return decorated


class Size(click.ParamType[int]):
    """Bytes, as the `docker` command writes them: 512m, 4g."""

    name = "size"
    _UNITS = {None: 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}  # noqa: RUF012 - a constant

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return `value` in bytes."""
        match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)(?:b|([kmg])(?:i?b)?)?", str(value).strip().lower())
        size = int(float(match[1]) * self._UNITS[match[2]]) if match else 0
        if not size:
            self.fail(f"{value!r} is no size; use 512m or 4g", param, ctx)
        return size


def _finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Return `value`; click takes `inf` and `nan` for numbers of any range."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not so many")
    return value


def _container_options() -> tuple[Decorator, ...]:
    return (
        click.option(
            "--image",
            metavar="IMAGE",
            help="With --server docker: the image. Default: the release's official one.",
        ),
        click.option(
            "--gpus", metavar="all|N|device=0,1", help="With --server docker: GPUs for the container."
        ),
        click.option(
            "--cpus",
            type=click.FloatRange(min=0, min_open=True),
            callback=_finite,
            help="With --server docker: cores it may use.",
        ),
        click.option(
            "--memory",
            "memory_bytes",
            type=Size(),
            help="With --server docker: memory it may use, such as 4g.",
        ),
        click.option(
            "--shm-size",
            "shm_bytes",
            type=Size(),
            help="With --server docker: its shared memory. Default: computed from the models.",
        ),
        click.option(
            "--copy",
            "copies",
            is_flag=True,
            help="With --server docker: copy the models in instead of mounting the repository; "
            "a remote daemon gets them so by itself.",
        ),
        click.option(
            "--publish",
            metavar="ADDRESS",
            default="127.0.0.1",
            show_default=True,
            help="With --server docker: where the ports are published, on the daemon's machine.",
        ),
    )


class Duration(click.ParamType[float]):
    """Seconds, or a number with a unit: 500ms, 2s, 1m."""

    name = "duration"
    _UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}  # noqa: RUF012 - a constant

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return `value` in seconds."""
        if isinstance(value, int | float):
            return float(value)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|)", str(value).strip())
        if match is None or not float(match[1]):
            self.fail(f"{value!r} is no duration; use 500ms, 2s or 1m", param, ctx)
        return float(match[1]) * self._UNITS[match[2]]
