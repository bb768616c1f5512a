"""The same face as the embedded server's: examples served, checked and measured in a container."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from builder.server.docker.daemon import connected
from builder.server.docker.owner import MARK, labels
from builder.server.logs import KEPT, log_folder
from tests.live.conftest import Trb
from tests.live.docker_door import containers_of, running_of
from tests.live.test_examples import EXPECTED, PIPELINES
from tests.live.waiting import PATIENCE_S, told, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

QUICK = ("--window", "300ms", "--max-windows", "3")
STARTED_S = 300.0
"""Until a `trb` in the background has imported what it needs and made its container."""


@pytest.fixture
def door(cpu_image: str) -> tuple[str, ...]:
    """Return the options that lead into a container of our image."""
    return ("--server", "docker", "--image", cpu_image)


@pytest.fixture
def folder(walked: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return the text encoder, built, in a folder of the test's own."""
    return Path(shutil.copytree(walked("text_encoder"), tmp_path / "text_encoder"))


@pytest.fixture
def background(folder: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start `trb` in the background; it is ended where it still runs, and takes its container along."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "builder", *words]
        environment = {**os.environ, "NO_COLOR": "1"}
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_is_checked_and_measured_in_a_container(
    name: str, door: tuple[str, ...], example: Callable[[str], Path], trb: Trb
) -> None:
    """Every hop of every model is compared, over gRPC and HTTP, every model measured, and nothing is left running."""
    folder = example(name)
    trb("build", cwd=folder)

    passes_in_a_container(trb, folder, door)
    set_budget(folder, {"p50_ms": 10_000})
    report = json.loads(trb("perf", *door, *QUICK, "--json", cwd=folder).stdout)

    assert sorted(model["model"] for model in report["models"]) == EXPECTED[name]
    assert all(point["p50_ms"] > 0 for model in report["models"] for point in model["points"])
    assert not any(point["errors"] for model in report["models"] for point in model["points"])
    assert containers_of(folder / "model_repository") == []


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_passes_the_gate_in_an_image_with_its_packages(
    name: str, steps_image: str, walked: Callable[[str], Path], trb: Trb, tmp_path: Path
) -> None:
    """`trb image build --requirements` makes the image in which Python steps answer like in this process."""
    folder = Path(shutil.copytree(walked(name), tmp_path / name))

    passes_in_a_container(trb, folder, ("--server", "docker", "--image", steps_image))


def set_budget(folder: Path, budget: dict[str, float]) -> None:
    """Give every model of a spec this budget instead of its own."""
    spec = yaml.safe_load((folder / "trb.yaml").read_text())
    for model in spec["models"].values():
        model["latency"] = budget
    (folder / "trb.yaml").write_text(yaml.safe_dump(spec))


def passes_in_a_container(trb: Trb, folder: Path, door: tuple[str, ...]) -> None:
    report = json.loads(trb("check", *door, "--json", cwd=folder).stdout)

    assert report["passed"]
    assert "in a container of" in report["server"]
    for model in report["models"]:
        hops = {hop["name"]: hop["comparisons"] for hop in model["hops"]}
        assert {"gRPC", "HTTP"} <= {name.rpartition(" -> ")[2] for name in hops}
        assert all(hops.values()), model["model"]
    assert containers_of(folder / "model_repository") == []


def test_a_package_delivered_for_another_python_is_missed_before_the_start(
    door: tuple[str, ...], walked: Callable[[str], Path], trb: Trb, tmp_path: Path
) -> None:
    """The steps bring Pillow for the release's Python 3.10; our image runs 3.11 and has none: where, and what to do."""
    folder = Path(shutil.copytree(walked("digits_png"), tmp_path / "digits_png"))

    said = trb("check", *door, cwd=folder, expect=6).stderr

    assert "does not have what Python models import" in said
    assert "decode: `PIL`" in said
    assert "lies beside it for Python 3.10 alone" in said
    assert "trb image build --requirements pillow" in said.lower()
    assert "starting" not in said


@pytest.mark.parametrize(("budget", "code"), [({"p50_ms": 10_000}, 0), ({"p50_ms": 0.001}, 8)])
def test_the_budget_decides_the_exit_code(
    budget: dict[str, float], code: int, door: tuple[str, ...], folder: Path, trb: Trb
) -> None:
    """A median of ten seconds is met in a container, and one of a microsecond is missed: 8."""
    set_budget(folder, budget)

    done = trb("perf", "text_encoder_onnx", *door, "--cpus", "1", *QUICK, "--json", cwd=folder, expect=code)

    report = json.loads(done.stdout)
    (model,) = report["models"]
    assert report["passed"] is (code == 0)
    assert model["points"][0]["requests"] > 0
    assert "(1 core)" in report["server"]


@pytest.mark.usefixtures("strays")
def test_a_container_outlives_trb_until_it_is_stopped(door: tuple[str, ...], folder: Path, trb: Trb) -> None:
    """`--detach` leaves one container, which a second one does not join; `--stop` ends it, and then there is none."""
    served = json.loads(trb("serve", *door, "--detach", "--json", cwd=folder).stdout)
    try:
        assert containers_of(folder / "model_repository") == [served["container"]]
        assert served["http"].startswith("127.0.0.1:")
        trb("check", "--server", f"http://{served['http']}", "--grpc-url", served["grpc"], cwd=folder)
        second = trb("serve", *door, "--detach", cwd=folder, expect=6)
        assert f"{served['container']} serves" in second.stderr
        assert "--stop" in second.stderr
        cleaned = json.loads(trb("doctor", "--clean", "--json", cwd=folder).stdout)
        assert any(served["container"] in line for line in cleaned["kept"])
    finally:
        trb("serve", "--server", "docker", "--stop", cwd=folder)
    assert containers_of(folder / "model_repository") == []
    trb("serve", "--server", "docker", "--stop", cwd=folder, expect=6)


@pytest.mark.usefixtures("strays")
def test_a_detached_container_that_ended_by_itself_is_said_to_have(
    door: tuple[str, ...], folder: Path, trb: Trb
) -> None:
    """It keeps its log until `--stop`, and does not pass for one that serves."""
    name = json.loads(trb("serve", *door, "--detach", "--json", cwd=folder).stdout)["container"]
    try:
        with connected() as daemon:
            daemon.client.containers.get(name).kill()
        second = trb("serve", *door, "--detach", cwd=folder, expect=6)
        assert f"the container {name} served" in second.stderr
        assert f"is exited\nfix: `docker logs {name}`" in second.stderr
    finally:
        trb("serve", "--server", "docker", "--stop", cwd=folder)
    assert containers_of(folder / "model_repository") == []


def test_a_stop_leaves_the_container_of_another_machine(cpu_image: str, folder: Path, trb: Trb) -> None:
    """A daemon that machines share may serve a repository of the same path for each of them."""
    facts = labels(folder / "model_repository", detached=True)
    theirs = {**facts, "trb.owner": json.dumps({**json.loads(facts["trb.owner"]), "host": "another"})}
    with connected() as daemon:
        container = daemon.client.containers.create(cpu_image, ["sleep", "1"], labels=theirs)
        try:
            said = trb("serve", "--server", "docker", "--stop", cwd=folder, expect=6).stderr
            assert f"{container.name} serves that path of another one" in said
            container.reload()
        finally:
            container.remove(force=True)


def ends_by(process: "subprocess.Popen[str]", number: int, code: int, folder: Path) -> None:
    """Send a signal, and see that its exit code comes and no container stays."""
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)

    assert process.returncode == code
    assert containers_of(folder / "model_repository") == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_a_check_leaves_no_container(
    number: int,
    code: int,
    door: tuple[str, ...],
    folder: Path,
    background: Callable[..., "subprocess.Popen[str]"],
) -> None:
    """Ctrl-C and SIGTERM end `trb check` with their exit codes, and the container with it."""
    process = background("check", *door)
    assert within(STARTED_S, lambda: containers_of(folder / "model_repository"))

    ends_by(process, number, code, folder)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_requests_are_in_flight_leaves_no_container(
    number: int,
    code: int,
    door: tuple[str, ...],
    folder: Path,
    background: Callable[..., "subprocess.Popen[str]"],
) -> None:
    """A measurement that is given up is ended likewise."""
    process = background("perf", "text_encoder_onnx", *door, "--window", "300ms", "--max-windows", "500")
    assert process.stderr is not None
    while "window 1:" not in (line := process.stderr.readline()):
        assert line, "it ended"

    ends_by(process, number, code, folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_its_container_when_told(
    number: int,
    door: tuple[str, ...],
    folder: Path,
    background: Callable[..., "subprocess.Popen[str]"],
) -> None:
    """`trb serve` in the foreground ends well by either signal, and by one that a parent passes on once more."""
    process = background("serve", *door, "--json")
    served = told(process)
    assert containers_of(folder / "model_repository") == [served["container"]]

    process.send_signal(number)
    time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0
    assert containers_of(folder / "model_repository") == []
    assert "started" in Path(served["log"]).read_text().lower()


def test_the_log_of_a_server_that_runs_outlives_newer_ones(
    door: tuple[str, ...], folder: Path, background: Callable[..., "subprocess.Popen[str]"]
) -> None:
    """However many servers start meanwhile, what it says is kept until it ends."""
    process = background("serve", *door, "--json")
    log = Path(told(process)["log"])
    for number in range(KEPT):
        (log.parent / f"triton-99991231-{number:06}-x.log").touch()

    log_folder(log.parent, lambda _: None)

    assert log.exists()
    assert len(list(log.parent.glob("triton-9999*"))) == KEPT - 1


@pytest.mark.usefixtures("strays")
def test_what_a_killed_trb_leaves_is_found_and_nothing_else_is_removed(
    door: tuple[str, ...],
    cpu_image: str,
    folder: Path,
    tmp_path: Path,
    trb: Trb,
    background: Callable[..., "subprocess.Popen[str]"],
) -> None:
    """After SIGKILL one container is left; `trb doctor --clean` removes it and neither a stranger's nor one in use."""
    with connected() as daemon:
        strangers = daemon.client.containers.create(cpu_image, ["sleep", "1"], labels={"theirs": MARK})
        try:
            in_use = background("serve", *door, "--json")
            used = told(in_use)["container"]
            killed = background("check", *door)
            assert within(STARTED_S, lambda: len(running_of(folder / "model_repository")) > 1)
            (stray,) = {*running_of(folder / "model_repository")} - {used}
            killed.kill()
            killed.wait()
            assert stray in trb("doctor", cwd=folder).stdout

            cleaned = json.loads(trb("doctor", "--clean", "--json", cwd=folder).stdout)

            assert any(stray in line for line in cleaned["removed"])
            assert any(used in line for line in cleaned["kept"])
            assert containers_of(folder / "model_repository") == [used]
            strangers.reload()
        finally:
            strangers.remove(force=True)
