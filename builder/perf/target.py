"""The model under load, as the live server describes it, and the server's own account of its requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from builder.server.client import Client
from builder.server.endpoint import Endpoint
from builder.server.statistics import Statistics
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.results import ServerSplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One version of one model on a live server."""

    client: Client
    """Asked between windows only; the load has connections of its own."""
    triton_name: str
    version: int
    max_batch_size: int
    """0: the server does not batch, and the first axis is like any other."""
    ranks: Mapping[str, int]
    """How many axes each input has on the wire, the batch axis included."""
    dtypes: Mapping[str, DType]

    @property
    def endpoint(self) -> Endpoint:
        """Where the server answers."""
        return self.client.endpoint

    def statistics(self) -> Statistics:
        """Return the server's counts of this version, as they are now.

        Raises:
            ServerError: the server does not answer, or does not serve this version.
        """
        return self.client.statistics(self.triton_name, self.version)

    def as_served(self, feed: Feed) -> dict[str, Any]:
        """Return `feed` in the shapes the server takes: an input with only a batch axis gets one of 1."""
        return as_served(feed, self.ranks)


def as_served(feed: Feed, ranks: Mapping[str, int]) -> dict[str, Any]:
    """Return `feed` with axes of 1 appended to every input of a smaller rank than `ranks` says."""
    arrays = {name: np.asarray(array) for name, array in feed.items()}
    return {
        name: array.reshape(array.shape + (1,) * max(0, ranks[name] - array.ndim))
        for name, array in arrays.items()
    }


def describe(client: Client, triton_name: str, version: int) -> Target:
    """Ask the server for the model's configuration.

    Raises:
        ServerError: the server does not answer, or does not serve this version.
    """
    config = client.live_config(triton_name, version)
    batches = config.get("max_batch_size", 0)
    return Target(
        client=client,
        triton_name=triton_name,
        version=version,
        max_batch_size=batches,
        ranks={tensor["name"]: len(tensor["dims"]) + (batches > 0) for tensor in config["input"]},
        dtypes={tensor["name"]: DType.from_name(tensor["data_type"]) for tensor in config["input"]},
    )


def split(before: Statistics, after: Statistics) -> ServerSplit | None:
    """Return the average parts of the requests between two readings; None if there were none."""
    added = after.since(before)
    if not added.execution_count:
        return None
    return ServerSplit(
        queue_us=added.queue.mean_us,
        compute_input_us=added.compute_input.mean_us,
        compute_infer_us=added.compute_infer.mean_us,
        compute_output_us=added.compute_output.mean_us,
        average_batch=added.average_batch,
    )
