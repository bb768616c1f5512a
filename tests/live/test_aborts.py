"""A server that aborts while it loads, as Triton's Python backend makes it do now and then, is started again."""

from pathlib import Path

import pytest

from builder.errors import ServerError
from builder.server import Container, Serving, open_server
from builder.server.client import connected
from builder.server.settled import STARTING_AGAIN, STARTS
from builder.spec.releases import release
from tests.live.docker_door import containers_of

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]  # one may build the image

# The fault itself cannot be called: here a model ends its server with the words and the signal of it.
MODEL = """
import os, signal, sys
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def initialize(self, args):
        if not os.path.exists(os.path.join(args["model_repository"], "let_me")):
            print("terminate called after throwing an instance of '{words}'", file=sys.stderr, flush=True)
            os.kill(os.getppid(), signal.SIGABRT)

    def execute(self, requests):
        return [pb_utils.InferenceResponse([pb_utils.get_input_tensor_by_name(one, "x")]) for one in requests]
"""
CONFIG = """
backend: "python"
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
"""
KNOWN = "boost::interprocess::lock_exception"


@pytest.fixture(params=["embedded", "docker"])
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def container(door: str, request: pytest.FixtureRequest) -> Container:
    return Container(image=request.getfixturevalue("cpu_image")) if door == "docker" else Container()


def repository(root: Path, words: str) -> Path:
    version = root / "repository" / "aborts" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(MODEL.replace("{words}", words))
    (version.parent / "config.pbtxt").write_text(CONFIG)
    return root / "repository"


def test_an_abort_that_is_known_is_another_start(door: str, container: Container, tmp_path: Path) -> None:
    """The second server loads what ended the first; it is said, and one container is there."""
    root = repository(tmp_path, KNOWN)
    said = []

    def on_step(step: str) -> None:
        said.append(step)
        if step == STARTING_AGAIN:
            (root / "aborts" / "let_me").touch()

    serving = Serving(repository=root, release=release("24.10"), container=container)
    with open_server(door, serving, on_step=on_step) as endpoint:
        with connected(endpoint) as client:
            assert client.model_versions_ready("aborts") == (1,)
        if door == "docker":
            assert len(containers_of(root)) == 1

    assert said.count(STARTING_AGAIN) == 1


def test_one_that_aborts_each_time_is_an_error(door: str, container: Container, tmp_path: Path) -> None:
    """After the last start the error names the fault, the log, and what to do."""
    said: list[str] = []
    serving = Serving(repository=repository(tmp_path, KNOWN), release=release("24.10"), container=container)

    with (
        pytest.raises(ServerError, match="lock_exception") as caught,
        open_server(door, serving, on_step=said.append),
    ):
        pytest.fail("it was served")

    assert said.count(STARTING_AGAIN) == STARTS - 1
    assert "issues/8882); run the command again; the whole log" in caught.value.fix


def test_any_other_end_is_told_at_once(door: str, container: Container, tmp_path: Path) -> None:
    """A server that ends for a reason of its own is not started again."""
    said: list[str] = []
    serving = Serving(
        repository=repository(tmp_path, "my::own"), release=release("24.10"), container=container
    )

    with pytest.raises(ServerError, match="my::own"), open_server(door, serving, on_step=said.append):
        pytest.fail("it was served")

    assert STARTING_AGAIN not in said
