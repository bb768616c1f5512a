from pathlib import Path
from typing import Any

import click

from builder.cli import options, out

_PORTS = ("http", "grpc", "metrics", "prometheus", "grafana")


def _port(name: str, default: int, what: str) -> options.Decorator:
    return click.option(
        f"--{name}-port",
        type=click.IntRange(1, 65535),
        metavar="PORT",
        default=default,
        show_default=True,
        help=f"{what} on 127.0.0.1.",
    )


@click.command(name="compose")
@options.models
@options.spec_file
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write into this folder; missing ones are made. Default: docker, beside the spec.",
)
@click.option(
    "--image", metavar="IMAGE", help="Triton's image. Default: the official one of the spec's release."
)
@click.option("--prometheus-image", metavar="IMAGE", help="Prometheus's image. Default: one known to fit.")
@click.option("--grafana-image", metavar="IMAGE", help="Grafana's image. Default: one known to fit.")
@click.option("--gpus", metavar="all|N|device=ID,ID", help="Give Triton GPUs. Default: none.")
@click.option(
    "--quantiles/--no-quantiles",
    default=True,
    show_default=True,
    help="Let Triton compute p50, p95 and p99, which costs throughput.",
)
@_port("http", 8000, "Triton's HTTP")
@_port("grpc", 8001, "Triton's gRPC")
@_port("metrics", 8002, "Triton's metrics")
@_port("prometheus", 9090, "Prometheus")
@_port("grafana", 3000, "Grafana")
@click.option("--force", is_flag=True, help="Replace files that have another content.")
@options.as_json
def command(models: tuple[str, ...], spec_file: Path, as_json: bool, **wishes: Any) -> None:
    """Write a compose.yaml: Triton, Prometheus, and Grafana with a dashboard of the models.

    Example: trb compose --grafana-port 3001
    """
    from builder.deploy import Ports
    from builder.flow.compose import ComposeRequest, compose

    ports = Ports(**{name: wishes.pop(f"{name}_port") for name in _PORTS})
    out.show(compose(spec_file, models, ComposeRequest(ports=ports, **wishes)), as_json=as_json)
