"""`--probe-image` asks an image which packages it has; here a script stands for Docker and runs the image's Python."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DOCKER = f"""#!/bin/sh
echo "$@" > "$(dirname "$0")/asked"
while [ "$1" != "-c" ]; do shift; done
exec {sys.executable} "$@"
"""
MODEL = """
import json
import numpy
import no_such_package
try:
    import no_such_either
except ImportError:
    pass


class TritonPythonModel:
    def execute(self, requests):
        return requests

    def unused(self):
        import no_such_third
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


def run(repository: Path, path: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "builder",
        "lint",
        str(repository),
        "--probe-image",
        "my/image",
        "--json",
    ]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": path}
    )


def docker(folder: Path, script: str) -> str:
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_what_the_image_lacks_is_an_error_where_it_is_reached(repository: Path, tmp_path: Path) -> None:
    """A missing package is an error at an import that is sure to run, a warning at another, and nothing in a try."""
    done = run(repository, docker(tmp_path, DOCKER))

    found = {finding["message"]: finding["severity"] for finding in json.loads(done.stdout)["findings"]}
    assert found == {
        "ModuleNotFoundError: No module named 'no_such_package'": "error",
        "ModuleNotFoundError: No module named 'no_such_third'": "warning",
    }
    assert done.returncode == 5
    assert (
        (tmp_path / "asked")
        .read_text()
        .startswith("run --rm --network none --entrypoint python3 my/image -c")
    )


def test_a_package_that_the_image_has_is_no_finding(repository: Path, tmp_path: Path) -> None:
    """What the image has beside the standard library and numpy is not reported."""
    (repository / "m" / "1" / "model.py").write_text(
        MODEL.replace("no_such_package", "click").replace("no_such_third", "onnx")
    )
    done = run(repository, docker(tmp_path, DOCKER))

    assert json.loads(done.stdout)["findings"] == []
    assert done.returncode == 0


@pytest.mark.parametrize("script", [None, "#!/bin/sh\necho 'no daemon' >&2\nexit 125\n"])
def test_without_docker_there_is_nothing_to_ask(repository: Path, tmp_path: Path, script: str | None) -> None:
    """Where Docker is not there, or does not run the image, the run ends as for any missing tool."""
    done = run(repository, docker(tmp_path, script) if script else str(tmp_path))

    assert done.returncode == 10
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not script or "no daemon" in done.stderr
