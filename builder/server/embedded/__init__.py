"""A real tritonserver from a PyPI wheel, on this machine, for as long as it is needed."""

from builder.server.embedded.cache import cache_root
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
    "NoSuchWheel",
    "Wheel",
    "cache_root",
    "fetch_wheel",
    "server_libraries",
]
