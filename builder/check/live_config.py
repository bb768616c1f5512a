"""The live server's configuration against ours."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from builder.errors import RepositoryError


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


def differences(ours: Any, live: Any) -> tuple[str, ...]:
    """Return where the live configuration is not ours, one sentence each.

    Both are ModelConfig messages. What a server fills in by itself (instances, optimisation, version policy)
    is not compared: it does not change an answer.
    """
    return (
        *_facts(ours, live),
        *_tensors("input", ours.input, live.input),
        *_tensors("output", ours.output, live.output),
    )


def reshapes(tensors: Any) -> Mapping[str, tuple[int, ...]]:
    """Return the `reshape` of every input or output that has one."""
    return {tensor.name: tuple(tensor.reshape.shape) for tensor in tensors if tensor.HasField("reshape")}


def _facts(ours: Any, live: Any) -> Iterator[str]:
    pairs = (
        ("backend", ours.backend, live.backend),
        ("max_batch_size", ours.max_batch_size, live.max_batch_size),
        ("dynamic_batching", ours.HasField("dynamic_batching"), live.HasField("dynamic_batching")),
    )
    for name, mine, theirs in pairs:
        if mine != theirs:
            yield f"the live configuration has {name} {theirs}, config.pbtxt has {mine}"


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
