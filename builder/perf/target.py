"""The model under load, as the live server describes it, and the server's own account of its requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tritonclient.grpc import model_config_pb2

from builder.errors import ServerError
from builder.server.client import Client
from builder.server.endpoint import Endpoint
from builder.server.live_config import differences, live_config, read_config
from builder.server.protocol_shapes import as_sent, ranks
from builder.server.statistics import Statistics
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.results import ServerSplit

_TYPE: Final = model_config_pb2.DataType


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
        return as_sent(feed, self.ranks)


def describe(client: Client, version_folder: Path) -> Target:
    """Return the live model, once its configuration is the one beside `version_folder`.

    Raises:
        ServerError: the server does not answer, does not serve this version, or runs it otherwise than ours
            says: figures of another configuration are not figures of this model.
        RepositoryError: our config.pbtxt cannot be read.
    """
    name, version = version_folder.parent.name, int(version_folder.name)
    config = live_config(client, name, version)
    if found := differences(read_config(version_folder.parent / "config.pbtxt"), config):
        raise ServerError(
            f"{client.endpoint.description} runs {name} otherwise:\n  " + "\n  ".join(found),
            fix="let the server load the repository that trb build wrote",
        )
    return Target(
        client=client,
        triton_name=name,
        version=version,
        max_batch_size=config.max_batch_size,
        ranks=ranks(config),
        dtypes={tensor.name: DType.from_name(_TYPE.Name(tensor.data_type)) for tensor in config.input},
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
