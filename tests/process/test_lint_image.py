"""`--probe-image` where there is no image to ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = """
import no_such_package


class TritonPythonModel:
    def execute(self, requests):
        return requests
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    version = tmp_path / "repository" / "m" / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(
        'backend: "python"\n'
        'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }\n'
        'output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }\n'
    )
    (version / "model.py").write_text(MODEL)
    return tmp_path / "repository"


def lint(repository: Path, docker_host: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "builder", "lint", str(repository), "--probe-image", "my/image"]
    environment = {**os.environ, "DOCKER_HOST": docker_host}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment)


def test_without_docker_there_is_nothing_to_ask(repository: Path, tmp_path: Path) -> None:
    """Where no daemon answers, the run ends as for any missing tool, and says how to do without."""
    done = lint(repository, f"unix://{tmp_path}/none.sock")

    assert done.returncode == 10
    assert "--probe-image asks an image by Docker: no Docker daemon answers" in done.stderr
    assert "leave out --probe-image" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_repository_without_python_needs_no_docker(repository: Path, tmp_path: Path) -> None:
    """No source imports anything, so no image is asked."""
    (repository / "m" / "1" / "model.py").write_text(MODEL.replace("import no_such_package", ""))

    assert lint(repository, f"unix://{tmp_path}/none.sock").returncode == 0
