"""How far one answer is from another, and whether that is near enough."""

from builder.compare.defaults import default, tolerances
from builder.compare.outputs import compare

__all__ = ["compare", "default", "tolerances"]
