"""The configuration that a live server runs, against ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import json_format, text_format
from tritonclient.grpc import model_config_pb2

from builder.errors import RepositoryError, ServerError
from builder.server.client import Client


def read_config(path: Path) -> Any:
    """Return config.pbtxt as Triton's ModelConfig message.

    Raises:
        RepositoryError: it cannot be read.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise RepositoryError(
            f"{path} cannot be read: {error}", fix="build the model again: trb build --force"
        ) from error


def live_config(client: Client, name: str, version: int) -> Any:
    """Return the configuration that the server runs for this version, as Triton's ModelConfig message.

    Raises:
        ServerError: the server does not serve that version; names those it serves.
    """
    ready = client.model_versions_ready(name)
    if version not in ready:
        raise _absent(client, name, version, ready)
    return json_format.ParseDict(
        client.live_config(name, version),
        model_config_pb2.ModelConfig(),
        ignore_unknown_fields=True,  # a newer server has fields that this client does not know
    )


def differences(ours: Any, live: Any) -> tuple[str, ...]:
    """Return where the live configuration is not ours, one sentence each.

    Both are ModelConfig messages. What ours leaves to the server (the device of KIND_AUTO, further parameters,
    optimisation) is not compared: it has filled that in.
    """
    return (
        *_facts(ours, live),
        *_tensors("input", ours.input, live.input),
        *_tensors("output", ours.output, live.output),
    )


def _facts(ours: Any, live: Any) -> Iterator[str]:
    pairs = (
        ("backend", ours.backend, live.backend),
        ("max_batch_size", ours.max_batch_size, live.max_batch_size),
        ("dynamic_batching", ours.HasField("dynamic_batching"), live.HasField("dynamic_batching")),
        *_chosen(ours, live),
    )
    for name, mine, theirs in pairs:
        if mine != theirs:
            yield f"the live configuration has {name} {theirs}, config.pbtxt has {mine}"


def _chosen(ours: Any, live: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what ours and the live one say, of those settings alone that ours names."""
    if ours.default_model_filename:
        yield "default_model_filename", ours.default_model_filename, live.default_model_filename or "none"
    if ours.HasField("dynamic_batching") and live.HasField("dynamic_batching"):
        yield from _batching(ours.dynamic_batching, live.dynamic_batching)
    if ours.instance_group:
        yield from _instances(ours.instance_group, live.instance_group)
    for key in sorted(ours.parameters):
        theirs = live.parameters[key].string_value if key in live.parameters else "not set"
        yield f"parameters.{key}", ours.parameters[key].string_value, theirs


def _batching(ours: Any, live: Any) -> Iterator[tuple[str, Any, Any]]:
    delay = "max_queue_delay_microseconds"
    yield f"dynamic_batching.{delay}", getattr(ours, delay), getattr(live, delay)
    if ours.preferred_batch_size:
        mine, theirs = (sorted(one.preferred_batch_size) for one in (ours, live))
        yield "dynamic_batching.preferred_batch_size", mine, theirs


def _instances(ours: Any, live: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the instances on each device: on two GPUs that ours does not name, a server has as many on each."""
    for place, mine in enumerate(ours):
        theirs = live[place] if place < len(live) else None
        count = theirs.count if theirs is not None else 0
        if mine.count:
            yield "instance_group.count", mine.count, count
        if theirs is not None and mine.kind != mine.KIND_AUTO:
            yield "instance_group.kind", mine.Kind.Name(mine.kind), mine.Kind.Name(theirs.kind)
        if theirs is not None and mine.gpus:
            yield "instance_group.gpus", sorted(mine.gpus), sorted(theirs.gpus)


def _tensors(kind: str, ours: Any, live: Any) -> Iterator[str]:
    mine, theirs = ({tensor.name: _told(tensor) for tensor in tensors} for tensors in (ours, live))
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in theirs:
            yield f"the live configuration lacks the {kind} {name} of config.pbtxt"
        elif name not in mine:
            yield f"the live configuration has an {kind} {name} that config.pbtxt lacks"
        elif mine[name] != theirs[name]:
            yield f"the live configuration has {kind} {name} as {theirs[name]}, config.pbtxt as {mine[name]}"


def _told(tensor: Any) -> str:
    dtype = model_config_pb2.DataType.Name(tensor.data_type)
    told = f"{dtype} {list(tensor.dims)}"
    return f"{told} reshape {list(tensor.reshape.shape)}" if tensor.HasField("reshape") else told


def _absent(client: Client, name: str, version: int, ready: tuple[int, ...]) -> ServerError:
    where = client.endpoint.description
    reasons = [row.reason for row in client.index() if row.name == name and row.reason]
    has = f"it serves {', '.join(map(str, ready))}" if ready else "it serves no version of it"
    why = "".join(f"\n  {reason}" for reason in reasons)
    return ServerError(
        f"{where} does not serve version {version} of {name}; {has}{why}",
        fix="let the server load the repository that trb build wrote, or raise keep_versions",
    )
