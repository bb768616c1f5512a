"""A model on a live Triton, over both protocols."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from tritonclient.grpc import model_config_pb2

from builder.check.fitting import as_answered, as_sent
from builder.check.live_config import reshapes
from builder.check.port import Answer, NoAnswer
from builder.errors import ServerError
from builder.server.client import Client
from builder.spec.loaded import Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel:
    """One version of one model on a live Triton; fits the port `Served`."""

    client: Client
    name: str
    version: int
    config: Any
    """The live configuration, a ModelConfig message."""
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The `reshape` of inputs that have one."""
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


def find(client: Client, name: str, version: int) -> LiveModel:
    """Return version `version` of the model `name`.

    Raises:
        ServerError: the server does not serve that version.
    """
    ready = client.model_versions_ready(name)
    if version not in ready:
        raise _absent(client, name, version, ready)
    live = json_format.ParseDict(
        client.live_config(name, version),
        model_config_pb2.ModelConfig(),
        ignore_unknown_fields=True,  # a newer server has fields that this client does not know
    )
    return LiveModel(
        client=client,
        name=name,
        version=version,
        config=live,
        inputs=reshapes(live.input),
        outputs=reshapes(live.output),
    )


def _absent(client: Client, name: str, version: int, ready: tuple[int, ...]) -> ServerError:
    where = client.endpoint.description
    reasons = [row.reason for row in client.index() if row.name == name and row.reason]
    has = f"it serves {', '.join(map(str, ready))}" if ready else "it serves no version of it"
    why = "".join(f"\n  {reason}" for reason in reasons)
    return ServerError(
        f"{where} does not serve version {version} of {name}; {has}{why}",
        fix="let the server load the repository that trb build wrote, or raise keep_versions",
    )
