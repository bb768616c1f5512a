"""`trb compose` on a repository that was built: what the programs that read its files make of them."""

import json
import math
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton_http
import yaml

from builder.flow.compose import ComposeRequest, compose
from builder.server import Endpoint, Serving
from builder.server.embedded.process import start_bound, stop
from builder.server.embedded.run import started
from builder.spec.releases import release
from tests.live.conftest import ROOT, Trb
from tests.live.page import free_ports
from tests.live.waiting import PATIENCE_S, within
from tests.on_record import require_same

pytestmark = pytest.mark.slow  # a model is trained, and servers are started

SHOWN = ROOT / "docker"
DASHBOARD = "grafana/dashboards/models.json"
STEPS = """\
def halve(x):
    return x / 2


def add_one(y):
    return y + 1
"""
SPEC = """\
triton: "24.10"
models:
  halve:
    source: steps:halve
    backend: python
    inputs: {x: {dtype: fp32, shape: [batch, 4], range: [0, 8]}}
    outputs: {y: {dtype: fp32, shape: [batch, 4]}}
  add.one-v2:
    source: steps:add_one
    backend: python
    inputs: {y: {dtype: fp32, shape: [batch, 4], range: [0, 8]}}
    outputs: {z: {dtype: fp32, shape: [batch, 4]}}
pipelines:
  both: {inputs: [x], steps: [halve, add.one-v2], outputs: [z]}
"""
ASKED = {"halve": "x", "add.one-v2": "y", "both": "x"}
"""Whom clients ask, and the input of each."""
Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def digits(trb: Trb, trained_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as far as the example digits goes, built, and its stack in `docker`."""
    top = tmp_path_factory.mktemp("checkout")
    folder = shutil.copytree(trained_digits, top / "examples" / "digits")
    trb("build", "-j", "2", cwd=folder)
    trb("compose", "-f", "examples/digits/trb.yaml", "--out", "docker", cwd=top)
    return top


@pytest.fixture(scope="module")
def steps(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models and a pipeline, built, and their stack."""
    folder = tmp_path_factory.mktemp("two steps $HOME")
    (folder / "steps.py").write_text(STEPS)
    (folder / "trb.yaml").write_text(SPEC)
    trb("build", "-j", "2", cwd=folder)
    trb("compose", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def docker_compose() -> Compose:
    """Run Docker Compose 2 for a folder and return what it said; skips where there is none."""

    def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*program, "--project-directory", folder, *words],
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    program = _compose_2()
    if program is None:
        pytest.skip("no Docker Compose 2: `docker compose version` does not answer")
    return run


@cache
def _compose_2() -> list[str] | None:
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            version = [*words, "version", "--short"]
            said = subprocess.run(version, check=False, capture_output=True, text=True, timeout=60)
            if said.returncode == 0 and not said.stdout.startswith(("v1", "1.")):
                return words
    return None


def test_the_golden_stack_is_that_of_the_example_digits(digits: Path) -> None:
    """docker/compose.yaml and its files are what `trb compose` writes for the example digits."""
    folder = digits / "docker"
    made = {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if os.environ.get("TRB_GOLDEN") == "write":
        for name, text in made.items():
            (SHOWN / name).parent.mkdir(parents=True, exist_ok=True)
            (SHOWN / name).write_text(text)
    shown = {name: (SHOWN / name).read_text() for name in made if (SHOWN / name).exists()}
    assert "compose.yaml" in made
    require_same(shown, made)


def test_docker_compose_reads_what_was_meant(steps: Path, docker_compose: Compose) -> None:
    """Compose finds the three services, the repository, the config files and the limits of the environment."""
    said = docker_compose(steps / "docker", "config", "--format", "json", TRITON_CPUS="2", TRITON_MEMORY="4g")

    services = json.loads(said.stdout)["services"]
    triton = services["triton"]
    assert set(services) == {"triton", "prometheus", "grafana"}
    assert triton["volumes"][0]["source"].replace("$$", "$") == str(steps / "model_repository")
    assert (triton["cpus"], triton["mem_limit"]) == (2, str(4 << 30))
    for name in ("prometheus", "grafana"):
        for mount in services[name]["volumes"]:
            source = mount["source"].replace("$$", "$")
            assert mount["type"] == "volume" or Path(source).exists(), source
    ports = [port for one in services.values() for port in one["ports"]]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_changes_of_a_users_own_lie_beside(steps: Path, docker_compose: Compose, tmp_path: Path) -> None:
    """Compose reads compose.override.yaml too, and writing the stack anew leaves it alone."""
    compose(steps / "trb.yaml", (), ComposeRequest(out=tmp_path))
    (tmp_path / "compose.override.yaml").write_text('services: {grafana: {image: "own:1"}}\n')
    compose(steps / "trb.yaml", (), ComposeRequest(out=tmp_path, force=True))

    services = json.loads(docker_compose(tmp_path, "config", "--format", "json").stdout)["services"]

    assert services["grafana"]["image"] == "own:1"


def test_docker_compose_starts_triton(
    digits: Path, cpu_image: str, docker_compose: Compose, tmp_path: Path, trb: Trb
) -> None:
    """Triton of our image becomes healthy with every model loaded, and answers like PyTorch."""
    folder, (http, grpc, metrics) = tmp_path / "docker", free_ports(3)
    trb(
        *(
            "compose",
            "-f",
            digits / "examples" / "digits" / "trb.yaml",
            "--out",
            folder,
            "--image",
            cpu_image,
        ),
        *("--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics),
        cwd=digits,
    )
    project = f"trb-test-{os.getpid()}"
    try:
        docker_compose(folder, "-p", project, "up", "--wait", "triton")
        server = ("--server", f"http://127.0.0.1:{http}", "--grpc-url", f"127.0.0.1:{grpc}")
        trb("check", *server, cwd=digits / "examples" / "digits")
        counted = read(f"http://127.0.0.1:{metrics}/metrics")
    finally:
        docker_compose(folder, "-p", project, "down", "--volumes")
    assert 'nv_inference_request_summary_us{model="digits_onnx",version="1",quantile="0.99"}' in counted


def test_promtool_accepts_the_scrape_config(steps: Path) -> None:
    """Prometheus's own checker finds no fault with prometheus.yml."""
    needs("promtool")
    config = steps / "docker" / "prometheus.yml"

    done = subprocess.run(
        ["promtool", "check", "config", config], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_query_of_the_dashboard_has_an_answer(steps: Path, tmp_path: Path) -> None:
    """Under load, each query of each panel gives numbers from a real Prometheus that scrapes a live server."""
    needs("prometheus")
    expressions = {
        target["expr"]
        for panel in json.loads((steps / "docker" / DASHBOARD).read_text())["panels"]
        for target in panel.get("targets", ())
    }

    with serving(steps, tmp_path) as endpoint, prometheus(steps, endpoint, tmp_path) as address:
        unanswered = expressions
        give_up = time.monotonic() + PATIENCE_S
        while unanswered and time.monotonic() < give_up:
            ask(endpoint)
            unanswered = {one for one in unanswered if not numbers(address, one)}
            time.sleep(0.5)
        by_step = numbers(
            address, next(one for one in expressions if "queue_duration_us" in one and "by" in one)
        )

    assert sorted(unanswered) == []
    assert len(by_step) == 2  # one for each step of the pipeline


@contextmanager
def serving(project: Path, room: Path) -> Iterator[Endpoint]:
    """Serve what the stack's Triton loads, with its choice of metrics, without a container."""
    command = yaml.safe_load((project / "docker" / "compose.yaml").read_text())["services"]["triton"][
        "command"
    ]
    chosen = [word for word in command if word.startswith("--metrics-config=")]
    serving = Serving(
        repository=project / "model_repository",
        release=release("24.10"),
        models=[word.partition("=")[2] for word in command if word.startswith("--load-model=")],
        log_dir=room,
    )
    process, endpoint = started(
        serving,
        starter=lambda words, **given: start_bound([*words, *chosen], **given),
        say=lambda _: None,
    )
    try:
        yield endpoint
    finally:
        stop(process)


@contextmanager
def prometheus(project: Path, endpoint: Endpoint, room: Path) -> Iterator[str]:
    """Run Prometheus with the stack's config, pointed at `endpoint` and asking it once a second."""
    text = (project / "docker" / "prometheus.yml").read_text()
    text = text.replace("triton:8002", str(endpoint.metrics))
    text = re.sub(r"(scrape_\w+): \d+s", r"\1: 1s", text)
    (room / "prometheus.yml").write_text(text)
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    with (room / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={room / 'prometheus.yml'}",
                f"--storage.tsdb.path={room / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        assert within(PATIENCE_S, lambda: answers(f"http://{address}/-/ready")), (
            room / "prometheus.log"
        ).read_text()
        yield address
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def ask(endpoint: Endpoint) -> None:
    """Send each model and the pipeline a few requests."""
    client = triton_http.InferenceServerClient(endpoint.http)
    try:
        for name, tensor in ASKED.items():
            given = triton_http.InferInput(tensor, [2, 4], "FP32")
            given.set_data_from_numpy(np.ones((2, 4), np.float32))
            for _ in range(5):
                client.infer(name, [given])
    finally:
        client.close()


def numbers(address: str, expression: str) -> list[float]:
    """Return what Prometheus answers, empty unless all of it is finite."""
    query = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", "30s")})
    answer: Any = json.loads(read(f"http://{address}/api/v1/query?{query}"))
    found = [float(one["value"][1]) for one in answer["data"]["result"]]
    return found if all(map(math.isfinite, found)) else []


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on PATH: on Debian or Ubuntu it is in the package prometheus")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def answers(url: str) -> bool:
    try:
        read(url)
    except OSError:
        return False
    return True
