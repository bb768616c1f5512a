"""Any Triton repository, checked without a server: what its release would refuse, and what would surprise."""

from builder.lint.edits import edited
from builder.lint.image import asked_for, packages_in
from builder.lint.lacking import Lacking, asking, lacking
from builder.lint.model import lint_model
from builder.lint.places import Place, places
from builder.lint.repository import lint
from builder.lint.target import Target
from builder.lint.text import printable
from builder.lint.wired import wired

__all__ = [
    "Lacking",
    "Place",
    "Target",
    "asked_for",
    "asking",
    "edited",
    "lacking",
    "lint",
    "lint_model",
    "packages_in",
    "places",
    "printable",
    "wired",
]
