"""Load on a live model: latency, throughput and the server's own account, held against a budget."""

from builder.perf.inputs import Wish, inputs
from builder.perf.load import Load
from builder.perf.machine import machine
from builder.perf.measure import measure
from builder.perf.settings import Settings

__all__ = ["Load", "Settings", "Wish", "inputs", "machine", "measure"]
