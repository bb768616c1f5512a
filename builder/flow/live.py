"""What check and perf share: which version of which model is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from builder import repository
from builder.errors import RepositoryError
from builder.repository import Published
from builder.spec.project import Model, ReadProject, triton_names

NO_SERVER: Final = "no server"
"""Where a report ran that had nothing to ask a server for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model of the spec under its name in the repository."""

    name: str
    """In trb.yaml."""
    triton_name: str
    model: Model
    published: Published
    """Its newest version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One model of the spec that has no version of ours: never built, not built to the end, or put there by hand."""

    triton_name: str
    why: str
    """What is missing, and the command that mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the repository has of the chosen models."""

    targets: tuple[Target, ...]
    missing: tuple[Missing, ...]


def targets(read: ReadProject, chosen: Mapping[str, Model], names: Sequence[str] = ()) -> Found:
    """Return the newest published version of every chosen model; `names` may narrow it to single backends."""
    found: list[Target] = []
    missing: list[Missing] = []
    for name, model in chosen.items():
        for triton_name in triton_names(name, model).values():
            if names and name not in names and triton_name not in names:
                continue
            try:
                published = repository.latest(read.repository, triton_name)
                _ = published.record  # raises where trb did not publish it
            except RepositoryError as error:  # a row of the report, and no reason to skip the others
                missing.append(Missing(triton_name=triton_name, why=f"{error.what}; {error.fix}"))
                continue
            found.append(Target(name=name, triton_name=triton_name, model=model, published=published))
    return Found(targets=tuple(found), missing=tuple(missing))
