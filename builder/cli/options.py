"""Options that several commands share."""

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_OF_DOOR: Final = ("server", "grpc_url", "target_torch", "ready_timeout_s")
_OF_AGAINST: Final = ("server", "grpc_url")

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
    metavar="embedded|URL",
    help="Where the live Triton comes from: started here, or one of yours (http://host:8000, grpc://host:8001).",
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
    metavar="embedded|URL",
    help="Ask this Triton the same, and hold its answers against those of --server.",
)
against_grpc_url: Decorator = click.option(
    "--against-grpc-url", metavar="HOST:PORT", help="gRPC address of --against URL. Default: the next port."
)


def door(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a live Triton; the command gets them as `door`, a function that makes a `Door`."""

    @wraps(command)
    def with_door(*arguments: Any, **given: Any) -> Any:
        wishes = {name: given.pop(name) for name in _OF_DOOR}

        def make() -> Any:
            from builder.flow.door import Door

            return Door(**wishes)

        return command(*arguments, door=make, **given)

    decorated: Callable[..., Any] = with_door
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
            from dataclasses import replace

            if wishes["server"] is None:
                return None
            return replace(door(), **wishes, target_torch=False)

        for name, value in wishes.items():
            if wishes["server"] is None and value is not None:
                raise click.UsageError(f"--against-{name.replace('_', '-')} goes with --against")
        return command(*arguments, door=door, against=make, **given)

    decorated: Callable[..., Any] = with_against
    for option in (against_grpc_url, against_server):
        decorated = option(decorated)
    return decorated


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
