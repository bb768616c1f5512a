"""What a stack of Triton, Prometheus and Grafana is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from builder.errors import UsageError
from builder.server.docker.gpus import Gpus
from builder.spec.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports on 127.0.0.1 of the machine that runs the stack."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002
    prometheus: int = 9090
    grafana: int = 3000

    def __post_init__(self) -> None:
        taken: dict[int, str] = {}
        for name, port in self.by_name.items():
            if port in taken:
                raise UsageError(
                    f"port {port} is asked for twice: --{taken[port]}-port and --{name}-port",
                    fix="give each its own port; where none is given: "
                    + ", ".join(f"{one.name} {one.default}" for one in fields(self)),
                )
            taken[port] = name

    @property
    def by_name(self) -> Mapping[str, int]:
        """The ports, each under the name of its option."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What the containers are made of."""

    triton: str
    prometheus: str = "prom/prometheus:v3.5.0"
    grafana: str = "grafana/grafana:12.0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model or pipeline that clients ask."""

    name: str
    """In the repository."""
    steps: tuple[str, ...] = ()
    """The models of a pipeline's steps, in order; empty: it is no pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A Triton, the Prometheus that asks it for its metrics, and the Grafana that draws them."""

    project: str
    """Names the containers, volumes and network."""
    release: Release
    """Of Triton: what it can be asked for, and which metrics it has."""
    repository: str
    """The model repository, seen from the folder of compose.yaml."""
    served: tuple[Served, ...]
    loads: tuple[str, ...]
    """What Triton loads: what is served, and what pipelines are made of."""
    images: Images
    ports: Ports
    gpus: Gpus | None = None
    """That Triton is given."""
    has_quantiles: bool = True
    """Whether Triton computes percentiles of the latency, which costs throughput."""
    shm_bytes: int
    """Size of Triton's /dev/shm."""
