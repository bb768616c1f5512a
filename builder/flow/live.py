"""What check and perf share: which version of which model is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builder import repository
from builder.repository import Published
from builder.spec.project import Model, ReadProject, triton_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model of the spec under its name in the repository."""

    name: str
    """In trb.yaml."""
    triton_name: str
    model: Model
    published: Published
    """Its newest version."""


def targets(read: ReadProject, chosen: Mapping[str, Model], names: Sequence[str] = ()) -> tuple[Target, ...]:
    """Return the newest published version of every chosen model; `names` may narrow it to single backends.

    Raises:
        RepositoryError: one was never built.
    """
    return tuple(
        Target(
            name=name,
            triton_name=triton_name,
            model=model,
            published=repository.latest(read.repository, triton_name),
        )
        for name, model in chosen.items()
        for triton_name in triton_names(name, model).values()
        if not names or name in names or triton_name in names
    )
