"""Proves that a served model answers like its reference."""

from builder.check.check import check
from builder.check.steps import Steps

__all__ = ["Steps", "check"]
