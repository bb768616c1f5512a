"""A model on a live Triton, over both protocols."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.check.port import Answer, NoAnswer
from builder.errors import ServerError
from builder.server.client import Client
from builder.server.live_config import live_config
from builder.server.protocol_shapes import as_answered, as_sent, ranks, reshapes
from builder.spec.loaded import Feed
from builder.spec.tensors import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel:
    """One version of one model on a live Triton; fits the port `Served`."""

    client: Client
    name: str
    version: int
    config: Any
    """The live configuration, a ModelConfig message."""
    server: str = ""
    """The version of the server core, such as 2.51.0."""
    inputs: Mapping[str, int] = field(default_factory=dict)
    """How many axes each input has on the wire."""
    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The `reshape` of outputs that have one."""

    def grpc(self, feed: Feed) -> Answer:
        """Answer `feed` over gRPC; may be called from several threads at once."""
        return self._answer(self.client.infer_grpc, feed)

    def http(self, feed: Feed) -> Answer:
        """Answer `feed` over HTTP, in the thread that opened the client."""
        return self._answer(self.client.infer_http, feed)

    def batches(self) -> Mapping[int, int]:
        """Return how often the server has run this version with a batch of each size, in rows."""
        return self.client.statistics(self.name, self.version).batches

    def _answer(self, infer: Callable[..., dict[str, Any]], feed: Feed) -> Answer:
        try:
            answer = infer(self.name, self.version, as_sent(feed, self.inputs))
        except ServerError as error:  # a refused request is a finding about its hop, not the end of the check
            return NoAnswer(error.what)
        return as_answered(answer, self.outputs)


def find(client: Client, name: str, version: int, signature: Signature) -> LiveModel:
    """Return version `version` of the model `name`, whose tensors have the shapes of `signature`.

    Raises:
        ServerError: the server does not serve that version.
    """
    live = live_config(client, name, version)
    return LiveModel(
        client=client,
        name=name,
        version=version,
        config=live,
        server=client.server_version(),
        inputs=ranks(live),
        outputs={**reshapes(live.output), **_flat(live, signature)},
    )


def _flat(config: Any, signature: Signature) -> Mapping[str, tuple[int, ...]]:
    """Return the outputs of nothing but the batch axis: an ensemble has a dim of 1 for them and no `reshape`."""
    served = {tensor.name: len(tensor.dims) + (config.max_batch_size > 0) for tensor in config.output}
    return {one.name: () for one in signature.outputs if served.get(one.name, 0) > len(one.shape)}
