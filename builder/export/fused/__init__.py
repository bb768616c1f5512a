"""Merge neighbouring graph steps of a pipeline into one model file."""

from builder.export.fused.grouping import groups
from builder.export.fused.merge import merge
from builder.export.fused.wiring import fused_wiring

__all__ = ["fused_wiring", "groups", "merge"]
