"""The command line: click and the terminal, nothing else."""

from builder.cli.root import main

__all__ = ["main"]
