"""Load on a live model: latency, throughput and the server's own account, held against a budget."""

from builder.perf.inputs import Wish
from builder.perf.load import Load, with_budget
from builder.perf.machine import machine
from builder.perf.measure import measure
from builder.perf.plan import Plan, plan
from builder.perf.settings import Settings
from builder.perf.steps import counts_at_rest, step_times

__all__ = [
    "Load",
    "Plan",
    "Settings",
    "Wish",
    "counts_at_rest",
    "machine",
    "measure",
    "plan",
    "step_times",
    "with_budget",
]
