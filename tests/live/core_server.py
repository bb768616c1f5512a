"""The server core, asked about one folder after another; a tiny backend of ours stands behind it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from builder.server import Serving
from builder.server.embedded import running
from builder.spec.releases import release
from tests.live.waiting import PATIENCE_S
from tests.unit.rules.core_cases import lay_out

NOT_READ = "failed to read text proto"
_SOURCE = Path(__file__).parent / "tiny_backend.c"
_WARNING = re.compile(r"^[EW]\d{4} |^\[libprotobuf|^Error parsing", re.MULTILINE)


class Answer(NamedTuple):
    """What the server did with a model."""

    is_ready: bool
    words: str
    """Its refusal, and the lines that it logged meanwhile; the model is called M."""
    has_ended: bool = False
    """Whether the server itself is gone; then there may be no words."""


class CoreServer:
    """A server over a repository of its own, in whose place another starts when it ends."""

    def __init__(self, folder: Path) -> None:
        self.library = _compiled(folder)
        """The tiny backend; None where there is no C compiler."""
        self.repository = folder / "repository"
        self.repository.mkdir()
        self._folder = folder
        self._stack = ExitStack()
        self._count = 0
        self._start()

    def ask(self, files: Mapping[str, str | bytes], *, name: str = "") -> Answer:
        """Load a model of these files, by path in its folder, and remove it again; `a/` is an empty folder."""
        model = self.add(files, name=name)
        try:
            return self.load(model.name)
        finally:
            shutil.rmtree(model)

    def add(self, files: Mapping[str, str | bytes], *, name: str = "") -> Path:
        """Return the folder of a model of these files."""
        self._count += 1
        folder = self.repository / (name or f"M{self._count}")
        lay_out(folder, files)
        if self.library is not None:
            shutil.copy(self.library, folder)
        return folder

    def load(self, name: str, *, keep: bool = False) -> Answer:
        """Load a model, and unload it again if it is not to be kept."""
        before = self._log.stat().st_size
        try:
            model = f"/v2/repository/models/{quote(name, safe='')}"
            status, body = self.post(f"{model}/load")
            if not keep:
                self.post(f"{model}/unload")
        except ConnectionError:
            status, body = 0, b""
        words = "\n".join([body.decode(errors="replace"), *self._logged(before)])
        if not status:
            self.close()
            self._start()
        words = words.replace(f"{self.repository}/{name}/", "").replace('\\"', '"')
        return Answer(status == 200, words.replace(name, "M"), has_ended=not status)

    def close(self) -> None:
        self._stack.close()

    def _start(self) -> None:
        serving = Serving(
            repository=self.repository,
            release=release("24.10"),
            log_dir=self._folder,
            models=(),
            control="explicit",
        )
        endpoint = self._stack.enter_context(running(serving))
        assert endpoint.log is not None
        self._log = endpoint.log
        address = urlsplit(f"//{endpoint.http}").netloc
        self._connection = self._stack.enter_context(closing(HTTPConnection(address, timeout=PATIENCE_S)))

    def _logged(self, before: int) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(before)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if _WARNING.match(line)]

    def get(self, path: str) -> bytes:
        """Return the body of the answer."""
        self._connection.request("GET", path)
        return self._connection.getresponse().read()

    def post(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        self._connection.request("POST", path, json.dumps({}))
        answer = self._connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def core_server(folder: Path) -> Iterator[CoreServer]:
    """Serve an empty repository in `folder`."""
    with closing(CoreServer(folder)) as server:
        yield server


def needs_backend(server: CoreServer) -> None:
    """Skip where the tiny backend could not be made."""
    if server.library is None:
        pytest.skip("there is no C compiler for the tiny backend: install cc")


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = folder / "libtriton_tiny.so"
    words = [compiler, "-shared", "-fPIC", "-nostdlib", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return library
