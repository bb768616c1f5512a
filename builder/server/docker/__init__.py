"""A Triton in a container, for as long as it is needed."""

from builder.server.docker.detached import require_alive, start_detached, stop_detached
from builder.server.docker.run import running

__all__ = ["require_alive", "running", "start_detached", "stop_detached"]
