"""The Docker daemon: found as the `docker` command finds it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import docker

from builder.errors import MissingTool, UsageError
from builder.server.docker.failures import failure, said_plainly

if TYPE_CHECKING:
    from docker import DockerClient

_ANSWER_TIMEOUT_S: Final = 30
"""Seconds for one answer of the daemon; what takes longer by its nature is streamed."""
_TIMEOUT_VARIABLE: Final = "DOCKER_CLIENT_TIMEOUT"
"""Another number of seconds, for a daemon that is far away or busy."""
_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_DEFAULT: Final = "unix:///var/run/docker.sock"
_LOCAL_SCHEMES: Final = ("unix", "npipe")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A Docker daemon that answered."""

    client: "DockerClient"
    address: str
    """As in DOCKER_HOST, such as `unix:///var/run/docker.sock`."""

    @property
    def sees_our_files(self) -> bool:
        """Whether a mount can mean a path of this machine: the daemon's socket is a file here."""
        return urlsplit(self.address).scheme in _LOCAL_SCHEMES

    @property
    def host(self) -> str:
        """The machine on which ports are published, as it is reached from here."""
        found = urlsplit(self.address).hostname or ""
        return "127.0.0.1" if self.sees_our_files or found in LOOPBACK else found


@contextmanager
def connected() -> Iterator[Daemon]:
    """Yield the daemon that `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the current context names; TLS as they say.

    Raises:
        MissingTool: none is there, or we may not use it.
        ServerError: it does not answer.
        UsageError: DOCKER_CLIENT_TIMEOUT is no number.
    """
    address = _address()
    timeout_s = _timeout_s()
    try:
        with said_plainly("connecting", address), _own_certificates():
            client = docker.from_env(timeout=timeout_s)
    except ValueError as error:  # Python's own, of a port that is no number
        raise failure(error, "connecting", address) from error
    client.api.trust_env = not isinstance(client.api.verify, str)
    try:
        yield Daemon(client, address)
    finally:
        client.close()


@contextmanager
def _own_certificates() -> Iterator[None]:
    """Keep `requests` from taking another bundle of certificates than the daemon's: with a bundle set, it would."""
    hidden = {name: os.environ.pop(name) for name in _BUNDLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _timeout_s() -> int:
    wanted = os.environ.get(_TIMEOUT_VARIABLE, "")
    if wanted and not (wanted.isdecimal() and int(wanted)):
        raise UsageError(
            f"{_TIMEOUT_VARIABLE}={wanted} is no number of seconds", fix=f"unset {_TIMEOUT_VARIABLE}"
        )
    return int(wanted or _ANSWER_TIMEOUT_S)


def _address() -> str:
    if host := os.environ.get("DOCKER_HOST"):
        return host
    try:
        context = docker.ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
    except Exception as error:  # the SDK raises nothing narrower for a context that it cannot read
        raise failure(error, "reading the contexts", "the current context") from error
    if context is None:  # the SDK would take the default in its place, and so another daemon than was meant
        raise MissingTool(
            f"there is no Docker context {os.environ.get('DOCKER_CONTEXT') or 'as ~/.docker/config.json names it'}",
            fix="`docker context ls` lists them; set DOCKER_CONTEXT to one, or DOCKER_HOST to a daemon",
        )
    return str(context.Host or _DEFAULT)
