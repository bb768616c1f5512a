"""What a server that says little is taken for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builder.errors import ServerError
from builder.server.settled import serves_all


class Triton(BaseHTTPRequestHandler):
    """Lives, is not ready, and has nothing to say of its models: the connection is closed."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/v2/health/live" else 400)
        self.end_headers()

    def do_POST(self) -> None:
        """Say nothing."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Refusing(Triton):
    """Cannot tell what it has, as one with a link to nowhere in its repository."""

    def do_POST(self) -> None:
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b'{"error": "failed to stat file old"}')


@contextmanager
def answering(kind: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_falls_silent_is_asked_again(tmp_path: Path) -> None:
    """Whether it has ended is for its process to tell: it closes its sockets first."""
    with answering(Triton) as address:
        assert not serves_all(address, ["m"], tmp_path / "log")
    assert not serves_all(address, ["m"], tmp_path / "log")


def test_a_server_that_cannot_tell_what_it_has_is_an_error(tmp_path: Path) -> None:
    """Its words are passed on at once."""
    with answering(Refusing) as address, pytest.raises(ServerError, match="failed to stat file old"):
        serves_all(address, ["m"], tmp_path / "log")
