"""A server of the user's: nothing is started, nothing is stopped."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import SplitResult, urlsplit

from builder.errors import ServerError, UsageError
from builder.server.endpoint import Endpoint

_TIMEOUT_S: Final = 10.0
_HTTP_PORT: Final = 8000
_GRPC_PORT: Final = 8001


@contextmanager
def at(url: str, grpc_url: str | None = None) -> Iterator[Endpoint]:
    """Yield the Triton at `url`: `http://host:8000`, `host:8000` or `grpc://host:8001`.

    The other protocol's port is the neighbour of the one given, as in Triton's own 8000 and 8001.

    Raises:
        UsageError: not such a URL.
        ServerError: nobody answers there, or it is no Triton.
    """
    http_address, grpc_address = addresses(url, grpc_url)
    version = _version(http_address)
    _require_listener(grpc_address)
    yield Endpoint(
        http=http_address, grpc=grpc_address, kind="url", description=f"Triton {version} at {http_address}"
    )


def _require_listener(grpc_address: str) -> None:
    host, _, port = grpc_address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_S).close()
    except OSError as error:
        raise ServerError(
            f"no gRPC answers at {grpc_address}: {error.strerror or error}",
            fix="name its address: --grpc-url HOST:PORT",
        ) from None


def addresses(url: str, grpc_url: str | None = None) -> tuple[str, str]:
    """Return `host:port` of HTTP and of gRPC.

    Raises:
        UsageError: not a URL of a Triton.
    """
    parts = _split(url)
    if parts.scheme == "grpc":
        grpc_port = parts.port or _GRPC_PORT
        return _joined(parts, grpc_port - 1), _joined(parts, grpc_port)
    http_port = parts.port or _HTTP_PORT
    if grpc_url is None:
        return _joined(parts, http_port), _joined(parts, http_port + 1)
    other = _split(grpc_url)
    return _joined(parts, http_port), _joined(other, other.port or _GRPC_PORT)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        usable = parts.scheme in {"", "http", "grpc"} and parts.hostname and parts.path in {"", "/"}
        _ = parts.port  # raises on a port that is no number
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"not the URL of a Triton: {url}", fix="write it like http://HOST:8000 or grpc://HOST:8001"
        )
    return parts


def _joined(parts: SplitResult, port: int) -> str:
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _version(address: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/v2")
        return str(json.loads(connection.getresponse().read())["version"])
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(
            f"no Triton answers at http://{address}: {error}",
            fix="check the address; the HTTP port is 8000 unless the server was told otherwise",
        ) from error
    except (ValueError, KeyError, TypeError):
        raise ServerError(
            f"what answers at http://{address} is not a Triton", fix="check the address"
        ) from None
    finally:
        connection.close()
