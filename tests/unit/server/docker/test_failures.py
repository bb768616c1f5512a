"""What the Docker SDK raises, nested as it nests it, becomes one sentence and a next step."""

import errno
import hashlib
import os
import socket
import ssl
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import MissingTool, ServerError, TrbError
from builder.server.docker.daemon import connected
from builder.server.docker.failures import failure, said_plainly
from tests.fakes.docker_daemon import FakeDaemon

SOCKET = "unix:///run/docker.example"
UNIX = "docker.transport.unixconn.UnixHTTPConnection.connect"
TCP = "urllib3.util.connection.create_connection"
TLS = "urllib3.connection.HTTPSConnection.connect"


def of_system(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), *([path] if path else []))


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def said_of_connecting() -> TrbError:
    with pytest.raises(TrbError) as caught, connected():
        pass
    return caught.value


@pytest.fixture(autouse=True)
def nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep out what the machine of the test says of its own daemon."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("error", "kind", "what", "fix"),
    [
        (of_system(errno.ENOENT), MissingTool, "no Docker daemon answers at", "systemctl start docker"),
        (of_system(errno.ECONNREFUSED), MissingTool, "Connection refused", "systemctl start docker"),
        (of_system(errno.EACCES), MissingTool, "you may not use the Docker daemon", "usermod -aG docker"),
        (TimeoutError("timed out"), ServerError, "does not answer (connecting)", "`docker ps`"),
    ],
)
def test_a_socket_that_does_not_lead_to_a_daemon(
    error: OSError, kind: type[TrbError], what: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absent, forbidden or mute: each has its own advice, and the address is named."""
    monkeypatch.setenv("DOCKER_HOST", SOCKET)
    monkeypatch.setattr(UNIX, failing(error))

    found = said_of_connecting()

    assert (type(found), found.exit_code) == (kind, 10 if kind is MissingTool else 6)
    assert what in found.what
    assert SOCKET in found.what
    assert fix in found.fix
    assert "--server embedded" in found.fix


@pytest.mark.parametrize(
    ("error", "kind", "what"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            MissingTool,
            "Name or service not known",
        ),
        (of_system(errno.ECONNREFUSED), MissingTool, "Connection refused"),
        (of_system(errno.EHOSTUNREACH), MissingTool, "No route to host"),
        (TimeoutError("timed out"), ServerError, "does not answer"),
    ],
)
def test_a_machine_on_which_no_daemon_is_reached(
    error: OSError, kind: type[TrbError], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is the network's own, without the layers of the HTTP client around it."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker.example:2375")
    monkeypatch.setattr(TCP, failing(error))

    found = said_of_connecting()

    assert type(found) is kind
    assert what in found.what
    assert "tcp://docker.example:2375" in found.what
    assert "urllib3" not in found.what
    assert found.fix


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS without its files is told before anybody is asked."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker.example:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")

    found = said_of_connecting()

    assert (type(found), found.exit_code) == (MissingTool, 10)
    assert "no TLS with the Docker daemon at tcp://docker.example:2376" in found.what
    assert "DOCKER_CERT_PATH" in found.fix


def test_a_certificate_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS that fails is no absent daemon, though it is an OSError too."""
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker.example:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    monkeypatch.setattr(TLS, failing(ssl.SSLCertVerificationError(1, "certificate verify failed")))

    found = said_of_connecting()

    assert type(found) is MissingTool
    assert "certificate verify failed" in found.what
    assert "DOCKER_CERT_PATH" in found.fix


@pytest.mark.parametrize("host", ["docker.example", "junk://docker.example", "tcp://", "fd://1", "tcp://a:b"])
def test_an_address_that_is_none(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCKER_HOST is quoted, and how it is written is told."""
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setattr(TCP, failing(of_system(errno.ECONNREFUSED)))

    found = said_of_connecting()

    assert found.exit_code == 10
    assert host in found.what
    assert "DOCKER_HOST" in found.fix


def test_a_daemon_over_ssh_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own extra is named."""
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@docker.example")

    found = said_of_connecting()

    assert found.exit_code == 10
    assert "docker[ssh]" in found.fix


def test_a_context_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that was named is not passed over for the default daemon."""
    monkeypatch.setenv("DOCKER_CONTEXT", "absent")

    found = said_of_connecting()

    assert found.exit_code == 10
    assert "there is no Docker context absent" in found.what
    assert "docker context ls" in found.fix


def test_a_context_that_is_broken(tmp_path: Path) -> None:
    """A context whose file is no JSON is told with its name."""
    config = tmp_path / "docker" / "config.json"
    config.parent.mkdir()
    config.write_text('{"currentContext": "mine"}')
    meta = config.parent / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text("{")

    found = said_of_connecting()

    assert found.exit_code == 10
    assert "mine" in found.what
    assert found.fix


def test_a_registry_of_which_the_config_knows_nothing_sound(tmp_path: Path) -> None:
    """The SDK reads ~/.docker/config.json, and what it cannot read there is told with that file's name."""
    config = tmp_path / "docker" / "config.json"
    config.parent.mkdir()
    config.write_text('{"auths": {"registry.example": 5}}')

    found = said_of_connecting()

    assert found.exit_code == 10
    assert "Invalid configuration" in found.what
    assert "~/.docker/config.json" in found.fix


def test_what_a_daemon_refuses_is_in_its_own_words() -> None:
    """The address that the SDK adds to them is left out."""
    daemon = FakeDaemon(refusals={("GET", "/info"): (500, "no more space")})

    with daemon.connected() as one, pytest.raises(ServerError) as caught, said_plainly("asking", one.address):
        one.client.info()

    assert caught.value.what == "the Docker daemon refused (asking): no more space"
    assert caught.value.exit_code == 6
    assert caught.value.fix


def test_plain_http_with_a_daemon_that_wants_tls() -> None:
    """It says so itself, with status 400, and the advice is about TLS."""
    said = "Client sent an HTTP request to an HTTPS server."
    daemon = FakeDaemon(refusals={("GET", "/version"): (400, said)})

    with (
        daemon.connected() as one,
        pytest.raises(TrbError) as caught,
        said_plainly("connecting", one.address),
    ):
        one.client.api._retrieve_server_version()

    assert (type(caught.value), caught.value.exit_code) == (MissingTool, 10)
    assert "DOCKER_TLS_VERIFY" in caught.value.fix


def test_our_own_failures_come_through_as_they_are() -> None:
    """What is said already is not said again, and a bug stays one."""
    for error in (ServerError("it broke"), ZeroDivisionError()):
        with pytest.raises(type(error)) as caught, said_plainly("asking", SOCKET):
            raise error
        assert caught.value is error


def made(kind: type[Exception], words: str) -> Exception:
    if kind is urllib3.exceptions.ProtocolError:
        return kind("Connection aborted.", words)
    if kind is urllib3.exceptions.MaxRetryError:
        return urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("docker.example"), "/version")
    return kind(words)


KINDS = [
    docker.errors.APIError,
    docker.errors.DockerException,
    docker.errors.InvalidRepository,
    docker.errors.NotFound,
    docker.errors.StreamParseError,
    docker.errors.TLSParameterError,
    requests.ConnectionError,
    requests.ReadTimeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.SSLError,
    urllib3.exceptions.MaxRetryError,
    urllib3.exceptions.ProtocolError,
    ConnectionResetError,
    FileNotFoundError,
    OSError,
    PermissionError,
    TimeoutError,
    ValueError,
]


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6),
    links=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=12),
    wraps=st.booleans(),
)
def test_every_nesting_comes_to_an_end(
    kinds: list[type[Exception]], links: list[tuple[int, int, bool]], wraps: bool
) -> None:
    """Whatever was raised from what, in a circle too, is one of our failures with words, an exit code and a fix."""
    errors = [made(kind, f"words {number}") for number, kind in enumerate(kinds)]
    for here, there, is_cause in links:
        one, other = errors[here % len(errors)], errors[there % len(errors)]
        if is_cause:
            one.__cause__ = other
        else:
            one.__context__ = other
    for one, inside in pairwise(errors):
        if wraps and isinstance(one, requests.RequestException):
            one.args = (inside,)

    found = failure(errors[0], "asking", SOCKET)

    assert found.exit_code in (6, 10)
    assert found.what
    assert found.fix


def test_a_deep_nesting_is_gone_through_once() -> None:
    """Each layer is both an argument of the next and its cause: to follow both every time would take for ever."""
    error: Exception = PermissionError(errno.EACCES, "Permission denied")
    for _ in range(80):
        outer = requests.ConnectionError(error)
        outer.__cause__ = error
        error = outer

    assert "permission denied" in failure(error, "asking", SOCKET).what
