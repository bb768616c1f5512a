"""What the Python models of a repository import and an image does not have, before a server is started in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.lint import python_environment, python_layout
from builder.lint.backends import python
from builder.lint.model import python_versions
from builder.lint.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A package that a model imports and the image does not have."""

    model: str
    package: str
    """The outermost part of the module's name."""
    path: Path
    """The source that asks for it."""
    line: int
    is_certain: bool
    """Whether the server is sure to reach the import."""
    beside: str = ""
    """The Python for which it lies beside the model all the same, such as 3.10; empty: it does not."""


def lacking(repository: Path, models: Sequence[str], target: Target) -> Iterator[Lacking]:
    """Yield each package that a Python model among `models` imports and that the image of `target` does not have.

    What cannot be read, and what is no Python model, needs nothing: the server says what is wrong with it.
    """
    for model in models:
        try:
            yield from [
                Lacking(
                    model=model,
                    package=need.wanted.package,
                    path=repository / model / need.relative,
                    line=need.wanted.line,
                    is_certain=need.is_certain,
                    beside=python_layout.beside_for(need.wanted.package, seen),
                )
                for seen in python_versions(repository / model, target)
                for need in python.lacking(seen)
            ]
        except OSError:
            continue


def asking(repository: Path, models: Sequence[str], target: Target) -> Iterator[Path]:
    """Yield the folders of those among `models` that the image's own Python runs."""
    for model in models:
        try:
            if any(
                not python_environment.path(seen.config)
                for seen in python_versions(repository / model, target)
            ):
                yield repository / model
        except OSError:
            continue
