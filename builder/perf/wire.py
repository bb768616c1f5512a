"""Requests as bytes, made once, and the cheapest way to send them again and again."""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import grpc
import numpy as np
from tritonclient.grpc import service_pb2

from builder.feeds.wire import tensor_bytes
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.perf.load import Protocol
    from builder.server.endpoint import Endpoint

Send = Callable[[bytes], str]
"""Sends one request and waits for its answer; returns what went wrong, or nothing."""

_INFER: Final = "/inference.GRPCInferenceService/ModelInfer"
_ANY_SIZE: Final = -1
_CHANNEL: Final = (
    ("grpc.use_local_subchannel_pool", 1),  # else all channels of a process share one connection
    ("grpc.max_send_message_length", _ANY_SIZE),
    ("grpc.max_receive_message_length", _ANY_SIZE),
)
_NO_PROXY: Final = (("grpc.enable_http_proxy", 0),)
_CHUNK_BYTES: Final = 1 << 18
_HEADER_END: Final = b"\r\n\r\n"


def request_bytes(
    protocol: "Protocol",
    triton_name: str,
    version: int,
    feed: Feed,
    dtypes: Mapping[str, DType],
    host: str = "",
) -> bytes:
    """Return a whole inference request: a protobuf message, or the text of an HTTP POST to `host`."""
    tensors = {name: tensor_bytes(array, dtypes[name]) for name, array in feed.items()}
    heads = [
        {"name": name, "datatype": dtypes[name].wire, "shape": list(np.shape(array))}
        for name, array in feed.items()
    ]
    if protocol == "grpc":
        return _protobuf(triton_name, version, heads, tensors)
    return _post(f"/v2/models/{triton_name}/versions/{version}/infer", host, heads, tensors)


def open_sender(
    endpoint: "Endpoint", protocol: "Protocol", *, timeout_s: float
) -> AbstractContextManager[Send]:
    """Return a connection of its own to the server, for one thread."""
    if protocol == "grpc":
        return _grpc_sender(endpoint, timeout_s)
    return _http_sender(endpoint.http, timeout_s)


def _protobuf(
    triton_name: str, version: int, heads: list[dict[str, Any]], tensors: Mapping[str, bytes]
) -> bytes:
    request = service_pb2.ModelInferRequest(model_name=triton_name, model_version=str(version))
    for head in heads:
        request.inputs.add(**head)
    request.raw_input_contents.extend(tensors.values())
    return bytes(request.SerializeToString())


def _post(path: str, host: str, heads: list[dict[str, Any]], tensors: Mapping[str, bytes]) -> bytes:
    inputs = [head | {"parameters": {"binary_data_size": len(tensors[head["name"]])}} for head in heads]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    size = len(head) + sum(map(len, tensors.values()))
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/octet-stream",
        f"Inference-Header-Content-Length: {len(head)}",
        f"Content-Length: {size}",
    )
    return b"".join(("\r\n".join(lines).encode(), _HEADER_END, head, *tensors.values()))


@contextmanager
def _grpc_sender(endpoint: "Endpoint", timeout_s: float) -> "Iterator[Send]":
    options = _CHANNEL + (_NO_PROXY if endpoint.kind != "url" else ())
    with grpc.insecure_channel(endpoint.grpc, options=options) as channel:
        call = channel.unary_unary(_INFER)  # without serialisers: bytes in, bytes out

        def send(body: bytes) -> str:
            try:
                call(body, timeout=timeout_s, wait_for_ready=False)
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"
            return ""

        yield send


@contextmanager
def _http_sender(address: str, timeout_s: float) -> "Iterator[Send]":
    """Raw sockets: http.client spends as long on its own headers as a small model on its answer."""
    host, _, port = address.rpartition(":")
    connections: list[socket.socket] = []

    def connected() -> socket.socket:
        if not connections:
            connections.append(socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s))
            connections[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connections[0]

    def send(body: bytes) -> str:
        try:
            connection = connected()
            connection.sendall(body)
            return _answer(connection)
        except (OSError, ValueError) as error:
            while connections:
                connections.pop().close()
            return f"{type(error).__name__}: {error}"

    try:
        yield send
    finally:
        while connections:
            connections.pop().close()


def _answer(connection: socket.socket) -> str:
    """Read one response to its end; Triton always says its length.

    Raises:
        ValueError: no length is given, so the end cannot be found.
        OSError: the connection broke, or was silent for too long.
    """
    seen = b""
    while _HEADER_END not in seen:
        seen += _received(connection)
    head, _, body = seen.partition(_HEADER_END)
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    if at < 0:
        raise ValueError("an HTTP response without Content-Length")
    missing = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) - len(body)
    if head[9:12] == b"200":
        while missing > 0:
            missing -= len(_received(connection))
        return ""
    while missing > 0:
        body += (chunk := _received(connection))
        missing -= len(chunk)
    return f"HTTP {head[9:12].decode()}: {body.decode(errors='replace')[:500]}"


def _received(connection: socket.socket) -> bytes:
    if chunk := connection.recv(_CHUNK_BYTES):
        return chunk
    raise ConnectionError("the server closed the connection")
