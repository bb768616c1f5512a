"""What the check needs from a live server: one version of one model that answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from builder.spec.loaded import Feed


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A request that came to nothing."""

    reason: str


Answer = Mapping[str, Any] | NoAnswer
"""Outputs by name as numpy arrays, or why there are none."""


class Served(Protocol):
    """One version of one model on a live server; arrays have the model's own shapes."""

    def grpc(self, feed: Feed) -> Answer:
        """Answer `feed` over gRPC; may be called from several threads at once."""

    def http(self, feed: Feed) -> Answer:
        """Answer `feed` over HTTP."""

    def batches(self) -> Mapping[int, int]:
        """Return how often the server has run this version with a batch of each size, in rows."""
