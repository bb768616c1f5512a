"""Proves that a served model answers like its reference."""

from builder.check.check import check

__all__ = ["check"]
