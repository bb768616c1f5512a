"""Builds are killed at random moments while a polling Triton serves what they publish."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tritonclient import grpc

from builder import repository
from builder.server import Serving, embedded
from builder.server.endpoint import Endpoint
from builder.spec.releases import release
from tests.live.versions_publisher import publish
from tests.live.waiting import within

ROOT = Path(__file__).parents[2]
KILLS = 12
PAUSE_S = 0.3
FAILED_LOAD = ("failed to load", "Poll failed", "UNAVAILABLE", "Internal:")


@pytest.mark.alone
@pytest.mark.slow
def test_no_load_and_no_request_fails_while_builds_are_killed(tmp_path: Path) -> None:
    """Twelve kills, versions of alternating signatures: every answer right, no failed load, and new versions arrive."""
    root = tmp_path / "project" / "model_repository"
    publish(root, 1)

    with (
        embedded.running(
            Serving(repository=root, release=release("24.10"), log_dir=tmp_path, control="poll")
        ) as endpoint,
        asking(endpoint) as answers,
    ):
        kill_publishers(root)
        assert within(20, lambda: served(endpoint) == repository.latest(root, "m").version)
    assert endpoint.log is not None
    said = endpoint.log.read_text()

    assert [line for line in said.splitlines() if any(words in line for words in FAILED_LOAD)] == []
    assert said.count("successfully loaded 'm'") >= 5
    assert set(answers) == {"right"}
    assert len(answers) > 1000
    assert repository.verify(repository.latest(root, "m")) == ()


def kill_publishers(root: Path) -> None:
    moment = random.Random(1)
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.live.versions_publisher", root, str(PAUSE_S)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "publishing\n"
            time.sleep(moment.uniform(0, 3 * PAUSE_S))
            process.send_signal(signal.SIGKILL)


@contextmanager
def asking(endpoint: Endpoint) -> Iterator[list[str]]:
    """Ask the newest version all the while; yield what came of each request."""
    answers: list[str] = []
    done = threading.Event()
    asker = threading.Thread(target=ask, args=(endpoint, answers, done))
    asker.start()
    try:
        yield answers
    finally:
        done.set()
        asker.join()


def ask(endpoint: Endpoint, answers: list[str], done: threading.Event) -> None:
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    given = grpc.InferInput("x", [2, 4], "FP32")
    given.set_data_from_numpy(x)
    wanted = [grpc.InferRequestedOutput("y")]
    with grpc.InferenceServerClient(endpoint.grpc) as client:
        while not done.is_set():
            try:
                y = client.infer("m", [given], outputs=wanted).as_numpy("y")
            except grpc.InferenceServerException as error:
                answers.append(str(error))
            else:
                answers.append("right" if np.array_equal(y, x) else f"wrong: {y}")


def served(endpoint: Endpoint) -> int:
    with grpc.InferenceServerClient(endpoint.grpc) as client:
        return max(int(version) for version in client.get_model_metadata("m").versions)
