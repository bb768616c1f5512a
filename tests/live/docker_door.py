"""What tests of the Docker door share: a way to the daemon that can be cut, and the containers that are there."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import docker.errors

from builder.server.docker.daemon import Daemon, connected
from builder.server.docker.owner import REPOSITORY

_CHUNK = 1 << 16
_PING_S = 10


class Way:
    """A listener that passes everything on to the real daemon, until it is told to stop answering."""

    def __init__(
        self, listener: socket.socket, daemon_socket: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._listener, self._daemon_socket, self._tls = listener, daemon_socket, tls
        self._open = threading.Event()
        self._open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def stop_answering(self) -> None:
        """Take what comes and give nothing back, as a daemon that hangs does."""
        self._open.clear()

    def answer_again(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            ours = self._tls.wrap_socket(client, server_side=True) if self._tls else client
        except (OSError, ssl.SSLError):  # no certificate of ours
            client.close()
            return
        theirs = socket.socket(socket.AF_UNIX)
        theirs.connect(self._daemon_socket)
        back = threading.Thread(target=self._pass, args=(theirs, ours), daemon=True)
        back.start()
        self._pass(ours, theirs)
        back.join()
        ours.close()
        theirs.close()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._open.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def unix_way(path: Path, daemon_socket: str) -> Way:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return Way(listener, daemon_socket)


def tcp_way(daemon_socket: str, tls: ssl.SSLContext | None = None) -> tuple[Way, int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return Way(listener, daemon_socket, tls), int(listener.getsockname()[1])


def daemon_answers(path: Path) -> bool:
    """Return whether the daemon at a socket is up: it makes the socket long before."""
    with socket.socket(socket.AF_UNIX) as way, contextlib.suppress(OSError):
        way.settimeout(_PING_S)
        way.connect(str(path))
        way.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b" 200 " in way.recv(_CHUNK)
    return False


def containers_of(repository: Path, **filters: str) -> list[str]:
    """Return the names of the containers of ours that serve `repository`, ended ones too."""
    with connected() as daemon:
        return _named(daemon, repository, filters)


def running_of(repository: Path) -> list[str]:
    """Return the names of those that run: one that was only made may be made again without raised limits."""
    return containers_of(repository, status="running")


@contextlib.contextmanager
def image_of(daemon: Daemon, name: str, dockerfile: str, folder: Path) -> Iterator[str]:
    """Build an image of one Dockerfile, without a context; remove it at the end."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile)
    daemon.client.images.build(path=str(folder), tag=name, rm=True)
    try:
        yield name
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            daemon.client.images.remove(name, force=True)


def _named(daemon: Daemon, repository: Path, filters: dict[str, str]) -> list[str]:
    wanted: dict[str, str | list[str] | bool] = {"label": f"{REPOSITORY}={repository}", **filters}
    # One may go between the list and the look at it.
    found = daemon.client.containers.list(all=True, filters=wanted, ignore_removed=True)
    return [str(one.name) for one in found]
