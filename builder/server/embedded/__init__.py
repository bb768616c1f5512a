"""A real tritonserver from a PyPI wheel, on this machine, for as long as it is needed."""

from builder.server.embedded.cache import cache_root
from builder.server.embedded.detached import detached, start_detached, stop_detached
from builder.server.embedded.ready import require_alive
from builder.server.embedded.run import SERVER_VERSION, running
from builder.server.embedded.wheels import (
    PERF_ANALYZER,
    PYTRITON,
    NoSuchWheel,
    Wheel,
    fetch_wheel,
    server_libraries,
)

__all__ = [
    "PERF_ANALYZER",
    "PYTRITON",
    "SERVER_VERSION",
    "NoSuchWheel",
    "Wheel",
    "cache_root",
    "detached",
    "fetch_wheel",
    "require_alive",
    "running",
    "server_libraries",
    "start_detached",
    "stop_detached",
]
