"""What the Docker SDK raises, in plain words with the next step."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import docker.errors
import requests
import urllib3

from builder.errors import MissingTool, ServerError, TrbError

_WITHOUT: Final = "or do without Docker: --server embedded"
RAISED: Final = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)
"""The SDK lets through what its transports raise."""


@contextmanager
def said_plainly(doing: str, address: str) -> Iterator[None]:
    """Turn what the SDK raises into an error with cause and next step.

    Args:
        doing: what was asked of the daemon, such as `starting the container`.
        address: of the daemon.

    Raises:
        MissingTool: there is no daemon, or we may not use it.
        ServerError: it does not answer, or refuses.
    """
    try:
        yield
    except RAISED as error:
        raise failure(error, doing, address) from error


def failure(error: Exception, doing: str, address: str) -> TrbError:
    """Return the error to raise for one that the SDK raised."""
    if isinstance(error, docker.errors.APIError):
        return _refused(error, doing)
    chain = _chain(error)
    for classes, say in _KINDS:
        if found := next((one for one in reversed(chain) if isinstance(one, classes)), None):
            return say(_words(found), doing, address)
    return _unusable(_words(error), doing, address)


def _hangs(_: str, doing: str, address: str) -> TrbError:
    return ServerError(
        f"the Docker daemon at {address} does not answer ({doing})",
        fix=f"see whether `docker ps` answers, restart the daemon if not, {_WITHOUT}",
    )


def _forbidden(_: str, __: str, address: str) -> TrbError:
    return MissingTool(
        f"you may not use the Docker daemon at {address}: permission denied",
        fix=f"join its group (`sudo usermod -aG docker $USER`, then log in again), {_WITHOUT}",
    )


def _no_tls(said: str, _: str, address: str) -> TrbError:
    return MissingTool(
        f"no TLS with the Docker daemon at {address}: {said}",
        fix="check DOCKER_TLS_VERIFY, and that DOCKER_CERT_PATH holds ca.pem, cert.pem and key.pem",
    )


def _absent(said: str, doing: str, address: str) -> TrbError:
    return MissingTool(
        f"no Docker daemon answers at {address} ({doing}): {said}",
        fix=f"start it (`sudo systemctl start docker`), name another in DOCKER_HOST, {_WITHOUT}",
    )


def _unusable(said: str, doing: str, address: str) -> TrbError:
    if "paramiko" in said:
        return MissingTool(
            f"a Docker daemon over ssh ({address}) needs the Python package paramiko",
            fix="`pip install 'docker[ssh]'`",
        )
    if "HTTP request to an HTTPS server" in said:
        return _no_tls(said, doing, address)
    return MissingTool(
        f"the Docker daemon at {address} cannot be used ({doing}): {said}",
        fix="write DOCKER_HOST as unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST, look at ~/.docker/config.json, "
        f"{_WITHOUT}",
    )


_KINDS: Final = (
    ((TimeoutError, requests.Timeout), _hangs),
    ((PermissionError,), _forbidden),
    ((ssl.SSLError, docker.errors.TLSParameterError), _no_tls),
    ((ConnectionError, FileNotFoundError, socket.gaierror, urllib3.exceptions.HTTPError), _absent),
)
"""In this order: an SSLError is an OSError too, and a timeout hides in urllib3's errors."""


def explained(error: docker.errors.DockerException) -> str:
    """Return what the daemon said, without the address that it was asked at; else what the SDK says itself."""
    return str(getattr(error, "explanation", None) or error).strip()


def _refused(error: docker.errors.APIError, doing: str) -> ServerError:
    return ServerError(
        f"the Docker daemon refused ({doing}): {explained(error)}",
        fix="the same through the `docker` command says more, and so does the daemon's own log",
    )


def _chain(error: BaseException) -> tuple[BaseException, ...]:
    """Return `error`, what it was raised from and what it wraps, each once, the deepest last."""
    found: dict[int, BaseException] = {}
    todo: list[object] = [error]
    for one in todo:
        if isinstance(one, BaseException) and id(one) not in found:
            found[id(one)] = one
            todo += [
                one.__cause__ or one.__context__,
                *one.args,
            ]  # requests wraps urllib3's error as an argument
    return tuple(found.values())


def _words(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).strip()
