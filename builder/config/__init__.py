"""config.pbtxt: decided as a value, rendered by a template, read back with Triton's own schema."""

from builder.config.make import make
from builder.config.render import render
from builder.config.write import write
from builder.pbtxt.schema import parse

__all__ = ["make", "parse", "render", "write"]
