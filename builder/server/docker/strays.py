"""Containers of ours whose `trb` has gone."""

from contextlib import suppress
from dataclasses import dataclass

import docker.errors

from builder.server.docker.container import remove
from builder.server.docker.daemon import Daemon
from builder.server.docker.failures import said_plainly
from builder.server.docker.owner import MARK, REPOSITORY, is_stray


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A container with our label."""

    name: str
    repository: str
    is_stray: bool
    """Whether the `trb` that it was bound to has ended."""
    is_detached: bool

    def __str__(self) -> str:
        state = "left behind" if self.is_stray else "detached" if self.is_detached else "in use"
        return f"{self.name} ({state}, of {self.repository})"


def labelled(daemon: Daemon) -> tuple[Labelled, ...]:
    """Return every container that any `trb` made, by name."""
    with said_plainly("looking for containers", daemon.address):
        listed = daemon.client.containers.list(all=True, filters={"label": MARK}, ignore_removed=True)
    found = (
        Labelled(
            name=str(one.name),
            repository=one.labels.get(REPOSITORY, ""),
            is_stray=is_stray(one.labels),
            is_detached=one.labels.get(MARK) == "detached",
        )
        for one in listed
    )
    return tuple(sorted(found, key=lambda one: one.name))


def remove_strays(daemon: Daemon) -> tuple[Labelled, ...]:
    """Remove the strays among `labelled`, and nothing else; return them."""
    strays = tuple(one for one in labelled(daemon) if one.is_stray)
    for stray in strays:
        # Another `trb doctor --clean` may be quicker.
        with said_plainly(f"removing {stray.name}", daemon.address), suppress(docker.errors.NotFound):
            remove(daemon.client.containers.get(stray.name))
    return strays
