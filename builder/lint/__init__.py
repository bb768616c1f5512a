"""Any Triton repository, checked without a server: what its release would refuse, and what would surprise."""

from builder.lint.edits import edited
from builder.lint.model import lint_model
from builder.lint.places import Place, places
from builder.lint.repository import lint
from builder.lint.target import Target

__all__ = ["Place", "Target", "edited", "lint", "lint_model", "places"]
