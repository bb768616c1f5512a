"""What the Docker door refuses: each with cause, next step and exit code, and nothing left running."""

import io
import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from builder.errors import ServerError, TrbError
from builder.server import client
from builder.server.docker import running
from builder.server.docker.daemon import Daemon, connected
from builder.server.image.plan import DEFAULT_BASE
from builder.server.serving import Container, Serving
from builder.spec.releases import release
from tests.live.conftest import Trb
from tests.live.docker_door import Way, containers_of, image_of, unix_way
from tests.live.waiting import told

pytestmark = [pytest.mark.live, pytest.mark.slow]

ENDS_AT_ONCE = f"""FROM {DEFAULT_BASE}
RUN printf '#!/bin/sh\\necho no GPU, no joy\\nexit 3\\n' > /usr/bin/tritonserver && chmod +x /usr/bin/tritonserver
"""
NO_TRITON = f"FROM {DEFAULT_BASE}\nENV PATH=/usr/bin:/bin\n"
CONFIG = """
backend: "python"
max_batch_size: 8
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
MODEL = """
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def initialize(self, args):
        {initialize}

    def execute(self, requests):
        outputs = [pb_utils.Tensor("y", pb_utils.get_input_tensor_by_name(one, "x").as_numpy()) for one in requests]
        return [pb_utils.InferenceResponse([one]) for one in outputs]
"""


@pytest.fixture
def daemon(cpu_image: str) -> Iterator[Daemon]:
    """Return the daemon that has our image, reached as a person reaches it."""
    with connected() as found:
        yield found


@pytest.fixture
def real_socket(daemon: Daemon) -> str:
    if not daemon.sees_our_files:
        pytest.skip("the Docker daemon has no socket here that could be cut")
    return daemon.address.removeprefix("unix://")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of one Python model, which passes its input on."""
    return write_model(tmp_path / "repository", "passes", "pass")


def write_model(root: Path, name: str, initialize: str) -> Path:
    version = root / name / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(f'name: "{name}"{CONFIG}')
    (version / "model.py").write_text(MODEL.format(initialize=initialize))
    return root


@pytest.fixture
def serve(trb: Trb, repository: Path) -> Callable[..., str]:
    """Run `trb serve --server docker` on the repository, detached; return what it says on its way out."""

    def run(*options: str, expect: int) -> str:
        words = ("serve", "--server", "docker", "--detach", "--repository", repository, *options)
        said = trb(*words, cwd=repository.parent, expect=expect).stderr
        assert containers_of(repository) == []
        assert "error: " in said
        assert "fix: " in said
        return said

    return run


@pytest.fixture
def cut(tmp_path: Path, real_socket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """Put a way that can be cut between `trb` and the daemon."""
    path = tmp_path / "d.sock"
    way = unix_way(path, real_socket)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    yield way
    way.answer_again()
    way.close()


def test_without_a_daemon_the_exit_code_is_that_of_a_missing_tool(
    trb: Trb, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket, or nobody behind an address: 10, and the way to do without Docker."""
    for address in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:9"):
        monkeypatch.setenv("DOCKER_HOST", address)
        words = ("serve", "--server", "docker", "--repository", repository)
        said = trb(*words, cwd=tmp_path, expect=10).stderr
        assert f"no Docker daemon answers at {address}" in said
        assert "--server embedded" in said


def test_a_context_that_does_not_exist_is_not_taken_for_the_default(
    trb: Trb, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt DOCKER_CONTEXT must not lead to another daemon than was meant."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "misspelt")

    said = trb("serve", "--server", "docker", "--repository", repository, cwd=tmp_path, expect=10).stderr

    assert "there is no Docker context misspelt" in said


def test_a_socket_that_is_not_ours_to_use_is_said_to_be_so(daemon: Daemon) -> None:
    """Who may not open the socket is told to join its group."""
    if os.geteuid() != 0 or not daemon.sees_our_files:
        pytest.skip("only root can stand in for somebody without the right to the socket")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setuid(65534)
        try:
            with connected():
                said = "it may be used"
        except TrbError as error:
            said = json.dumps([type(error).__name__, error.what, error.fix])
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as source:
        kind, what, fix = json.loads(source.read())
    os.waitpid(child, 0)

    assert kind == "MissingTool"
    assert "permission denied" in what
    assert "usermod -aG docker" in fix


def test_a_daemon_that_does_not_answer_is_given_up(
    cut: Way, trb: Trb, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections and says nothing: an error after the time for an answer, not a wait for ever."""
    cut.stop_answering()
    monkeypatch.setenv("DOCKER_CLIENT_TIMEOUT", "2")

    said = trb(
        "serve", "--server", "docker", "--repository", repository, cwd=repository.parent, expect=6
    ).stderr

    assert "does not answer (connecting)" in said


@pytest.mark.usefixtures("strays")
def test_a_daemon_that_stops_answering_in_the_middle_names_what_is_left(
    cut: Way, cpu_image: str, repository: Path, trb: Trb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container that can then not be removed is named, and `trb doctor --clean` removes it later."""
    monkeypatch.setenv("DOCKER_CLIENT_TIMEOUT", "10")
    command = ("serve", "--server", "docker", "--image", cpu_image, "--repository", str(repository))
    process = subprocess.Popen(
        [sys.executable, "-m", "builder", *command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = told(process)

    cut.stop_answering()
    _, said = process.communicate(timeout=300)

    assert process.returncode == 6
    assert "does not answer" in said
    assert f"the container {served['container']} may be left" in said
    monkeypatch.undo()
    assert containers_of(repository) == [served["container"]]
    cleaned = trb("doctor", "--clean", cwd=repository.parent).stdout
    assert f"removed {served['container']}" in cleaned
    assert containers_of(repository) == []


def test_an_image_that_is_nowhere_is_said_to_be_so(serve: Callable[..., str]) -> None:
    """What the registry, or the network, says is passed on, and our own image is offered."""
    said = serve("--image", "127.0.0.1:9/no/such:image", expect=6)

    assert "does not have the image 127.0.0.1:9/no/such:image, and cannot pull it" in said
    assert "trb image build" in said


def test_an_image_for_another_processor_is_not_started(serve: Callable[..., str], daemon: Daemon) -> None:
    """Both architectures are named before anything is made."""
    theirs = "s390x"
    name = "trb-test-foreign:1"
    daemon.client.images.load(io.BytesIO(image_for(theirs, name)))
    try:
        said = serve("--image", name, expect=6)
    finally:
        daemon.client.images.remove(name, force=True)

    assert f"is built for {theirs}" in said
    assert "docker pull --platform linux/" in said


def image_for(architecture: str, name: str, files: dict[str, bytes] | None = None) -> bytes:
    """Return an image of one layer, as `docker save` writes them."""
    layer = tarball(files or {})
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"config.json": config, "manifest.json": manifest}
    return tarball({key: json.dumps(value).encode() for key, value in files.items()} | {"layer.tar": layer})


def tarball(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def test_an_image_without_triton_is_said_to_be_so(
    serve: Callable[..., str], daemon: Daemon, tmp_path: Path
) -> None:
    """The daemon's words about a missing program are put into ours."""
    with image_of(daemon, "trb-test-no-triton:1", NO_TRITON, tmp_path / "b") as name:
        said = serve("--image", name, expect=6)

    assert "finds no `tritonserver` in the image" in said


def test_a_container_that_exits_at_once_shows_its_last_words(
    serve: Callable[..., str], daemon: Daemon, tmp_path: Path
) -> None:
    """Exit status and last lines stand in the error."""
    with image_of(daemon, "trb-test-ends:1", ENDS_AT_ONCE, tmp_path / "b") as name:
        said = serve("--image", name, expect=6)

    assert "the container ended with exit status 3" in said
    assert "no GPU, no joy" in said


def test_a_port_in_use_is_named(serve: Callable[..., str], cpu_image: str) -> None:
    """A port that somebody listens on is found before an image is looked for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = serve("--image", cpu_image, "--http-port", str(port), expect=6)

    assert f"port {port} is in use" in said


def test_a_container_out_of_memory_says_which_limit(
    serve: Callable[..., str], cpu_image: str, repository: Path
) -> None:
    """A model that takes more than --memory is told from one that fails."""
    write_model(repository, "greedy", "self.hoard = bytearray(b'x' * (2 << 30))")

    said = serve("--image", cpu_image, "--memory", "400m", expect=6)

    assert "ran out of the 400 MiB that --memory allows" in said


def test_a_model_that_does_not_load_gives_its_reason(
    serve: Callable[..., str], cpu_image: str, repository: Path
) -> None:
    """The server's own words, as with the embedded one."""
    write_model(repository, "raises", "raise RuntimeError('the weights are gone')")

    said = serve("--image", cpu_image, expect=6)

    assert "Triton did not load 1 of 2 models" in said
    assert "the weights are gone" in said


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--gpus", "two"), 2, "--gpus 'two' says neither how many GPUs nor which"),
        (("--gpus", "all"), 6, "has no GPU to give"),
        (("--cpus", "1000"), 6, "has not that many cores"),
        (("--memory", "1m"), 6, "in so little memory"),
        (("--copy", "--poll"), 2, "--poll sees no change of a copy"),
        (("--publish", "192.0.2.1"), 6, "cannot publish there"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    options: tuple[str, ...], code: int, words: str, serve: Callable[..., str], cpu_image: str
) -> None:
    """Each names the option to change."""
    assert words in serve("--image", cpu_image, *options, expect=code)


def test_a_container_that_ends_while_it_is_asked_is_the_reason_given(
    daemon: Daemon, cpu_image: str, repository: Path
) -> None:
    """Whatever failed because nobody answered any more, the error says how the container ended."""
    wanted = Serving(repository=repository, release=release("24.10"), container=Container(image=cpu_image))

    def ask_in_vain() -> None:
        with running(wanted) as live:
            assert live.container is not None
            daemon.client.containers.get(live.container).kill()
            raise ServerError("nobody answers")

    with pytest.raises(ServerError, match="the container ended with exit status 137"):
        ask_in_vain()

    assert containers_of(repository) == []


def test_a_server_that_dies_of_a_request_is_the_reason_given(cpu_image: str, tmp_path: Path) -> None:
    """Its ports close before the daemon knows of its end: the error waits for that, and says it with the last lines."""
    kills = (
        "os = __import__('os'); self.execute = lambda _: (os.write(2, b'no way'), os.kill(os.getppid(), 6))"
    )
    root = write_model(tmp_path / "repository", "kills", kills)
    wanted = Serving(repository=root, release=release("24.10"), container=Container(image=cpu_image))

    def ask_in_vain() -> None:
        with running(wanted) as live, client.connected(live) as asked:
            asked.infer_http("kills", 1, {"x": np.zeros((1, 4), np.float32)})

    with pytest.raises(ServerError, match=r"(?s)the container ended with exit status 134.*no way"):
        ask_in_vain()

    assert containers_of(root) == []
