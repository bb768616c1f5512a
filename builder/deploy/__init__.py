"""What runs the repository elsewhere, as files that others read."""

from builder.deploy.compose import files
from builder.deploy.stack import Images, Ports, Served, Stack
from builder.deploy.written import Changes, write

__all__ = ["Changes", "Images", "Ports", "Served", "Stack", "files", "write"]
