"""The embedded Triton starts, says why it does not, and never outlives its owner unless told to."""

import contextlib
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import onnx
import pytest

from builder.errors import MissingTool, ServerError
from builder.server import Serving, embedded, logs, open_server
from builder.server.client import connected
from builder.server.embedded.launch import free_ports
from builder.server.endpoint import Endpoint
from builder.spec.places import home
from builder.spec.releases import release
from tests.live.waiting import PATIENCE_S, within

RELEASE = release("24.10")
DOUBLE = """
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [
            pb.InferenceResponse([pb.Tensor("y", 2 * pb.get_input_tensor_by_name(one, "x").as_numpy())])
            for one in requests
        ]
"""
REFUSE = """
class TritonPythonModel:
    def initialize(self, args):
        raise ValueError("the weights are not the ones I know")
"""
CONFIG = """backend: "python" max_batch_size: 8
input { name: "x" data_type: TYPE_FP32 dims: [ -1 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ -1 ] }
instance_group { count: 1 kind: KIND_CPU }
"""
OWNER = """
import sys, threading, time
from pathlib import Path
from builder.server import Serving
from builder.server.embedded import running
from builder.spec.releases import release

def serve():
    asked = Serving(repository=Path(sys.argv[1]), release=release("24.10"), log_dir=Path(sys.argv[2]))
    server = running(asked)
    endpoint = server.__enter__()
    kept.append(server)
    print(endpoint.pid, endpoint.http, flush=True)

kept = []
starter = threading.Thread(target=serve)
starter.start()
starter.join()
time.sleep(300)
"""


def write_model(repository: Path, name: str, code: str = DOUBLE, config: str = CONFIG) -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "1" / "model.py").write_text(code)
    (repository / name / "config.pbtxt").write_text(config)


def answers(endpoint: Endpoint) -> bool:
    host, port = endpoint.http.split(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    write_model(folder, "double")
    return folder


@pytest.fixture
def owner(repository: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the repository from a thread that has ended, and then sleeps."""
    command = [sys.executable, "-c", OWNER, repository, tmp_path / "logs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def detached(repository: Path, tmp_path: Path) -> Iterator[Endpoint]:
    endpoint = embedded.start_detached(
        Serving(repository=repository, release=RELEASE, log_dir=tmp_path / "logs")
    )
    yield endpoint
    if embedded.detached(repository):
        embedded.stop_detached(repository)


def test_it_serves_and_is_gone_after_the_block(repository: Path) -> None:
    """The server answers inside the block and not after it; its log stays, outside the repository."""
    with open_server("embedded", Serving(repository=repository, release=RELEASE)) as endpoint:
        assert answers(endpoint)
        assert endpoint.pid is not None

    assert not answers(endpoint)
    assert not is_running(endpoint.pid)
    assert endpoint.log is not None
    assert "successfully loaded 'double'" in endpoint.log.read_text()
    assert sorted(path.name for path in repository.iterdir()) == ["double"]


def test_it_is_ready_by_its_own_health_endpoints(repository: Path) -> None:
    """Inside the block the server says of itself that it is live and ready."""
    with open_server("embedded", Serving(repository=repository, release=RELEASE)) as endpoint:
        for state in ("live", "ready"):
            with urlopen(f"http://{endpoint.http}/v2/health/{state}", timeout=PATIENCE_S) as answer:
                assert answer.status == 200


def test_a_polled_model_that_fails_late_is_waited_for(repository: Path) -> None:
    """A polling server is up while a model still loads: that model's own words are told, once it has failed."""
    late = REFUSE.replace("        raise", "        import time\n        time.sleep(1)\n        raise")
    write_model(repository, "late", code=late)

    with (
        pytest.raises(ServerError, match="late: Internal: ValueError: the weights are not the ones I know"),
        open_server("embedded", Serving(repository=repository, release=RELEASE, control="poll")),
    ):
        pytest.fail("it was served")


def test_a_block_that_raises_leaves_nothing_running(repository: Path) -> None:
    """An exception in the block, Ctrl-C included, passes through and ends the server."""
    with (
        pytest.raises(KeyboardInterrupt),
        open_server("embedded", Serving(repository=repository, release=RELEASE)) as endpoint,
    ):
        raise KeyboardInterrupt

    assert not answers(endpoint)


def test_it_dies_with_its_owner(owner: subprocess.Popen[str]) -> None:
    """It outlives the thread that started it, and not the process, even one that is killed."""
    assert owner.stdout is not None
    pid, address = owner.stdout.readline().split()
    endpoint = Endpoint(http=address, grpc="", kind="embedded", description="")
    time.sleep(0.5)
    assert answers(endpoint), "it died with the thread"

    owner.send_signal(signal.SIGKILL)

    assert within(5, lambda: not is_running(int(pid)) and not answers(endpoint))


def test_a_model_that_fails_is_named_with_the_servers_words(repository: Path) -> None:
    """All that failed are listed, whether at the config or at the load, and the good one is not."""
    write_model(repository, "refusing", code=REFUSE)
    write_model(repository, "misspelt", config=CONFIG.replace("backend:", "bakend:"))

    with (
        pytest.raises(ServerError) as caught,
        open_server("embedded", Serving(repository=repository, release=RELEASE)),
    ):
        pytest.fail("it was served")

    assert "did not load 2 of 3 models" in caught.value.what
    assert "refusing: Internal: ValueError: the weights are not the ones I know" in caught.value.what
    assert 'no field named "bakend"' in caught.value.what
    assert "double:" not in caught.value.what
    assert ".log" in caught.value.fix


def test_only_the_models_asked_for_must_load(repository: Path) -> None:
    """A broken neighbour does not stand in the way of the model that is asked for."""
    write_model(repository, "refusing", code=REFUSE)

    with open_server(
        "embedded", Serving(repository=repository, release=RELEASE, models=["double"])
    ) as endpoint:
        assert answers(endpoint)


def test_a_model_that_is_not_there_is_named_before_anything_starts(repository: Path) -> None:
    """Asking for an unknown model says which there are."""
    with (
        pytest.raises(ServerError, match="has no model dubble") as caught,
        open_server("embedded", Serving(repository=repository, release=RELEASE, models=["dubble"])),
    ):
        pytest.fail("it was served")

    assert "double" in caught.value.fix


def test_a_server_that_dies_later_is_noticed(repository: Path) -> None:
    """A server that runs passes; one that was killed is an error with the end of its log."""
    with open_server("embedded", Serving(repository=repository, release=RELEASE)) as endpoint:
        assert endpoint.pid is not None
        assert endpoint.log is not None
        embedded.require_alive(endpoint.pid, endpoint.log)

        os.kill(endpoint.pid, signal.SIGKILL)

        assert within(5, lambda: not is_running(endpoint.pid))
        with pytest.raises(ServerError, match="Triton has ended\nits last lines") as caught:
            embedded.require_alive(endpoint.pid, endpoint.log)
    assert str(endpoint.log) in caught.value.fix


def test_a_port_in_use_is_named(repository: Path, tmp_path: Path) -> None:
    """Asking for a port that somebody listens on is an error that names it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        serving = embedded.running(
            Serving(repository=repository, release=RELEASE, log_dir=tmp_path / "logs", grpc_port=port)
        )

        with pytest.raises(ServerError, match=f"port {port} is in use"), serving:
            pytest.fail("it was served")


@pytest.mark.parametrize("which", ["http", "grpc", "metrics"])
def test_a_free_port_that_is_lost_is_replaced(
    which: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port taken by somebody else after it was chosen costs a new attempt, not the run."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        lost = replace(free_ports(), **{which: taken.getsockname()[1]})
        choices = iter([lost])
        monkeypatch.setattr(
            "builder.server.embedded.run.free_ports", lambda **_: next(choices, None) or free_ports()
        )

        with embedded.running(
            Serving(repository=repository, release=RELEASE, log_dir=tmp_path / "logs")
        ) as endpoint:
            assert answers(endpoint)
            assert getattr(endpoint, which) != f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_server_that_dies_while_loading_shows_its_last_lines(repository: Path, tmp_path: Path) -> None:
    """A model that kills the server, as an unchecked backend can, ends in its signal and its log."""
    write_model(repository, "deadly", code="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n")

    with (
        pytest.raises(ServerError, match="ended with signal 9") as caught,
        open_server("embedded", Serving(repository=repository, release=RELEASE)),
    ):
        pytest.fail("it was served")

    assert "loading: deadly:1" in caught.value.what
    assert within(5, lambda: not stubs_of(repository)), "a stub outlived its server"


def stubs_of(repository: Path) -> list[str]:
    """Return the command lines of processes that still serve a model of `repository`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if str(repository) in line]


def test_loading_that_takes_too_long_is_given_up(repository: Path) -> None:
    """A model that never comes up ends at the timeout, with the server's last lines."""
    write_model(
        repository,
        "slow",
        code="import time\nclass TritonPythonModel:\n def initialize(self, args): time.sleep(300)\n",
    )

    with (
        pytest.raises(ServerError, match="not ready after 20 s") as caught,
        open_server("embedded", Serving(repository=repository, release=RELEASE, ready_timeout_s=20)),
    ):
        pytest.fail("it was served")

    assert "loading: slow:1" in caught.value.what


def test_a_detached_server_is_found_again_and_stopped(repository: Path, detached: Endpoint) -> None:
    """It is found by its repository, refuses a second one beside it, and is gone after the stop."""
    assert embedded.detached(repository) == detached
    assert answers(detached)
    with pytest.raises(ServerError, match="already"):
        embedded.start_detached(
            Serving(repository=repository, release=RELEASE, log_dir=repository.parent / "logs")
        )

    embedded.stop_detached(repository)

    assert not answers(detached)
    assert embedded.detached(repository) is None
    with pytest.raises(ServerError, match="no detached server"):
        embedded.stop_detached(repository)


def test_a_detached_server_outlives_its_starter(repository: Path, tmp_path: Path) -> None:
    """Killing the process that detached it does not end it."""
    start = (
        "import os, signal, sys; from pathlib import Path; from builder.server import Serving, embedded; "
        "from builder.spec.releases import release; "
        "embedded.start_detached("
        "Serving(repository=Path(sys.argv[1]), release=release('24.10'), log_dir=Path(sys.argv[2]))); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", start, repository, tmp_path / "logs"], check=False, timeout=300)
    time.sleep(0.5)

    endpoint = embedded.detached(repository)

    assert endpoint is not None
    assert answers(endpoint)
    embedded.stop_detached(repository)
    assert not answers(endpoint)


@pytest.fixture
def nothing_beside(repository: Path) -> None:
    """A plain file where the side folder would be: nothing can be written beside the repository."""
    home(repository).parent.write_text("")


@pytest.mark.usefixtures("nothing_beside")
def test_a_repository_that_can_only_be_read_is_served(repository: Path) -> None:
    """Where no log can be kept beside the repository it is kept in a temporary folder, and the user is told."""
    steps: list[str] = []

    with open_server(
        "embedded", Serving(repository=repository, release=RELEASE), on_step=steps.append
    ) as endpoint:
        assert endpoint.log is not None
        assert "successfully loaded 'double'" in endpoint.log.read_text()
        assert any("cannot be written" in step and str(endpoint.log.parent) in step for step in steps)

    shutil.rmtree(endpoint.log.parent)


@pytest.mark.usefixtures("nothing_beside")
def test_a_detached_server_needs_a_place_for_its_state(repository: Path) -> None:
    """Without one it is not started, since nobody could stop it; stopping finds none."""
    with pytest.raises(ServerError, match="which cannot be written") as caught:
        embedded.start_detached(Serving(repository=repository, release=RELEASE))

    assert "without --detach" in caught.value.fix
    with pytest.raises(ServerError, match="no detached server"):
        embedded.stop_detached(repository)


def test_a_detached_server_whose_state_cannot_be_written_is_ended(repository: Path) -> None:
    """A disk that fails between the start and the note of it leaves no server that nobody could find."""
    home(repository).mkdir(parents=True)
    (home(repository) / "server.new").mkdir()

    with pytest.raises(ServerError, match="which cannot be written"):
        embedded.start_detached(Serving(repository=repository, release=RELEASE))

    assert within(5, lambda: not stubs_of(repository))


def test_the_log_of_a_server_that_runs_is_kept(
    repository: Path, detached: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old logs make room for new ones, but not the log of a detached server, however old."""
    assert detached.log is not None
    ended = detached.log.with_name("triton-20200101-000000-1.log")
    ended.touch()
    monkeypatch.setattr(logs, "KEPT", 1)

    assert logs.log_folder(detached.log.parent, say=pytest.fail) == detached.log.parent

    assert not ended.exists()
    assert detached.log.exists()
    assert detached.versions_dir is not None
    assert detached.versions_dir.exists()
    embedded.stop_detached(repository)
    logs.log_folder(detached.log.parent, say=pytest.fail)
    assert not detached.log.exists()
    assert not detached.versions_dir.exists()


def test_a_recycled_pid_is_never_killed(repository: Path, tmp_path: Path) -> None:
    """A state file whose pid now belongs to another process stops nobody."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        state = home(repository) / "server.json"
        state.parent.mkdir(parents=True)
        state.write_text(json.dumps({"pid": bystander.pid, "born": "another boot/1", "endpoint": None}))

        with pytest.raises(ServerError, match="no detached server"):
            embedded.stop_detached(repository)

        assert bystander.poll() is None
        bystander.kill()


def test_a_polling_server_notices_a_new_model(repository: Path, tmp_path: Path) -> None:
    """With polling, a model that appears is served without a new start."""
    with embedded.running(
        Serving(repository=repository, release=RELEASE, log_dir=tmp_path / "logs", control="poll")
    ) as endpoint:
        write_model(tmp_path, "late")
        (tmp_path / "late").rename(repository / "late")
        assert endpoint.log is not None

        assert within(10, lambda: "successfully loaded 'late'" in endpoint.log.read_text())


@pytest.fixture
def onnx_repository(tmp_path: Path) -> Path:
    """One model for the stand-in of the onnxruntime backend."""
    make = onnx.helper
    x, y = (make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2]) for name in "xy")
    graph = make.make_graph([make.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
    (tmp_path / "models" / "negative" / "1").mkdir(parents=True)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "models" / "negative" / "1" / "model.onnx")
    config = CONFIG.replace('"python"', '"onnxruntime"').replace("[ -1 ]", "[ 2 ]")
    (tmp_path / "models" / "negative" / "config.pbtxt").write_text(config)
    return tmp_path / "models"


def test_the_targets_own_onnx_runtime_runs(onnx_repository: Path) -> None:
    """Release 24.10 is served by its ONNX Runtime 1.19.2 on numpy 1, whatever the environment has."""
    with open_server("embedded", Serving(repository=onnx_repository, release=RELEASE)) as endpoint:
        found = endpoint.runtime("onnxruntime")

    assert (found["onnxruntime"], found["numpy"]) == ("1.19.2", "1.26.4")


def test_a_target_runtime_without_a_wheel_is_replaced_and_said(
    onnx_repository: Path,
) -> None:
    """Where this Python has no wheel of the target's ONNX Runtime, the environment's runs, and the user is told."""
    steps: list[str] = []
    odd = replace(RELEASE, onnxruntime="1.10.0")

    with open_server(
        "embedded", Serving(repository=onnx_repository, release=odd), on_step=steps.append
    ) as endpoint:
        found = endpoint.runtime("onnxruntime")

    assert found["onnxruntime"] == importlib.metadata.version("onnxruntime")
    assert any("onnxruntime 1.10.0" in step and "instead" in step for step in steps)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one small wheel, and an empty cache."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_thing/data.txt", "the content")
        wheel.writestr(
            "tiny_thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n"
        )
        wheel.writestr("tiny_thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny_thing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TRB_WHEELS", str(folder))
    return folder


TINY = embedded.Wheel(project="tiny-thing", version="1.0")


def test_a_corrupt_cache_is_repaired_from_a_folder_of_wheels(wheels: Path) -> None:
    """A wheel comes out of TRB_WHEELS without a network, and a damaged copy is fetched and unpacked again."""
    data = embedded.fetch_wheel(TINY) / "tiny_thing" / "data.txt"
    data.write_text("something else")

    embedded.fetch_wheel(TINY)

    assert data.read_text() == "the content"


def test_another_file_than_the_pinned_one_is_refused(wheels: Path) -> None:
    """A wheel with another sha256 is refused, and nothing of it stays."""
    with pytest.raises(MissingTool, match="not the file that trb was tested with"):
        embedded.fetch_wheel(replace(TINY, sha256="0" * 64))

    assert not (embedded.cache_root() / TINY.folder_name).exists()


def test_a_wheel_that_is_damaged_is_refused(wheels: Path) -> None:
    """A file that is no archive ends in a message, and nothing of it stays."""
    next(wheels.glob("*.whl")).write_bytes(b"half a wheel")

    with pytest.raises(MissingTool, match="tiny"):
        embedded.fetch_wheel(TINY)

    assert not (embedded.cache_root() / TINY.folder_name).exists()


def test_a_wheel_that_cannot_be_had_says_how_to_bring_it(wheels: Path) -> None:
    """A folder without the wheel is an error that names the folder and the command that fills it."""
    with pytest.raises(MissingTool, match=str(wheels)) as caught:
        embedded.fetch_wheel(embedded.PYTRITON)

    assert not isinstance(caught.value, embedded.NoSuchWheel), "a folder cannot tell what there is elsewhere"
    assert "pip download --no-deps nvidia-pytriton==0.7.0" in caught.value.fix


def test_without_a_network_the_fix_is_a_folder_of_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that does not answer is not taken for a wheel that does not exist."""
    monkeypatch.setenv("TRB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    with pytest.raises(MissingTool, match="could not be fetched") as caught:
        embedded.fetch_wheel(TINY)

    assert not isinstance(caught.value, embedded.NoSuchWheel)
    assert "TRB_WHEELS" in caught.value.fix


def test_two_processes_fetch_a_wheel_at_once(wheels: Path) -> None:
    """Both get the whole wheel, and nothing half-made stays in the cache."""
    fetch = (
        "from builder.server.embedded import Wheel, fetch_wheel; "
        "print((fetch_wheel(Wheel(project='tiny-thing', version='1.0')) / 'tiny_thing/data.txt').read_text())"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", fetch], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]

    assert [process.communicate(timeout=300)[0].strip() for process in both] == ["the content"] * 2
    assert not list(embedded.cache_root().glob(".*.aside-*"))


def test_a_path_that_a_shell_would_read_is_served(tmp_path: Path) -> None:
    """Blanks, quotes and dollars in the repository's path do not keep a model from loading."""
    repository = tmp_path / "it's my $HOME (copy)" / "models"
    write_model(repository, "double")

    with (
        open_server("embedded", Serving(repository=repository, release=RELEASE)) as endpoint,
        connected(endpoint) as client,
    ):
        assert [row.state for row in client.index()] == ["READY"]
