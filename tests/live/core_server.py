"""The server core, asked about one folder after another; a tiny backend of ours stands behind it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from builder.server import Serving
from builder.server.embedded import running
from builder.spec.releases import release

NOT_READ = "failed to read text proto"
_SOURCE = Path(__file__).parent / "tiny_backend.c"
_WARNING = re.compile(r"^[EW]\d{4} |^\[libprotobuf", re.MULTILINE)


class Answer(NamedTuple):
    """What the server did with a model."""

    is_ready: bool
    words: str
    """Its refusal, and the lines that it logged meanwhile; the model is called M."""


class CoreServer:
    """A running server over a repository of its own."""

    def __init__(self, repository: Path, connection: HTTPConnection, log: Path, library: Path | None) -> None:
        self.repository = repository
        self.library = library
        """The tiny backend; None where there is no C compiler."""
        self._log = log
        self._connection = connection
        self._count = 0

    def ask(self, files: Mapping[str, str | bytes], *, name: str = "") -> Answer:
        """Load a model of these files, by path in its folder, and remove it again; `a/` is an empty folder."""
        self._count += 1
        name = name or f"M{self._count}"
        lay_out(self.repository / name, files)
        if self.library is not None:
            shutil.copy(self.library, self.repository / name)
        try:
            return self.load(name)
        finally:
            self._post(name, "unload")
            shutil.rmtree(self.repository / name)

    def load(self, name: str) -> Answer:
        before = self._log.stat().st_size
        status, body = self._post(name, "load")
        with self._log.open("rb") as log:
            log.seek(before)
            logged = log.read().decode(errors="replace")
        lines = [line for line in logged.splitlines() if _WARNING.match(line)]
        words = "\n".join([body.decode(errors="replace"), *lines])
        return Answer(status == 200, words.replace(name, "M").replace('\\"', '"'))

    def _post(self, name: str, what: str) -> tuple[int, bytes]:
        self._connection.request(
            "POST", f"/v2/repository/models/{quote(name, safe='')}/{what}", json.dumps({})
        )
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def lay_out(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write `files` into `folder`."""
    folder.mkdir(exist_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            (folder / path).mkdir(exist_ok=True)
        else:
            data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
            (folder / path).write_bytes(data)


@contextmanager
def core_server(folder: Path) -> Iterator[CoreServer]:
    """Serve an empty repository in `folder`."""
    (folder / "repository").mkdir()
    serving = Serving(
        repository=folder / "repository",
        release=release("24.10"),
        log_dir=folder,
        models=(),
        control="explicit",
    )
    with running(serving) as endpoint:
        assert endpoint.log is not None
        connection = HTTPConnection(urlsplit(f"//{endpoint.http}").netloc, timeout=60)
        with closing(connection):
            yield CoreServer(serving.repository, connection, endpoint.log, _compiled(folder))


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = folder / "libtriton_tiny.so"
    words = [compiler, "-shared", "-fPIC", "-nostdlib", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return library


def needs_backend(server: CoreServer) -> None:
    """Skip where the tiny backend could not be made."""
    if server.library is None:
        pytest.skip("there is no C compiler for the tiny backend: install cc")
