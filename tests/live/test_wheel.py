"""The wheel is all that a user needs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {
    "builder/_assets/docker/Dockerfile",
    "builder/_assets/docker/tritonserver",
    "builder/_assets/examples/digits/README.md",
    "builder/_assets/examples/digits/model.py",
    "builder/_assets/examples/digits/train.py",
    "builder/_assets/examples/digits/trb.yaml",
    "builder/spec/data/releases.json",
}
# Bytecode is made of what the demo imports, when it does: all of it takes a processor a minute.
INSTALL = ("-m", "pip", "install", "-q", "--no-compile")
LEFT_BEHIND = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}


def run(*command: str | Path, cwd: Path) -> str:
    """Run `command` to its end in an environment without traces of the checkout, and return its stdout."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_BEHIND}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", dist, ROOT, cwd=dist)
    return next(dist.glob("trb-*.whl"))


def test_the_wheel_carries_what_lies_beside_the_code_and_nothing_made_here(wheel: Path) -> None:
    """Every asset is in the wheel; no trained weights and no caches are."""
    names = set(zipfile.ZipFile(wheel).namelist())

    assert names >= NEEDED
    assert {f"builder/_assets/templates/{path.name}" for path in (ROOT / "templates").glob("*.j2")} <= names
    assert {f"builder/_assets/docs/lint/{path.name}" for path in (ROOT / "docs/lint").glob("*.md")} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.partition("/")[0] for name in names}
    assert all(top == "builder" or top.endswith(".dist-info") for top in tops)
    assert not [name for name in names if name.endswith((".pyc", ".safetensors", ".npz"))]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_installed_wheel_runs_the_demo_elsewhere(wheel: Path, tmp_path: Path) -> None:
    """In a new environment, far from the checkout, `trb demo` goes the whole way and every model passes."""
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    install_torch(python, cwd=tmp_path)
    run(python, *INSTALL, "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    assert str(ROOT) not in run(python, "-c", "import builder; print(builder.__file__)", cwd=tmp_path)

    said = run(tmp_path / "venv" / "bin" / "trb", "demo", cwd=tmp_path)

    assert "digits_onnx" in said
    assert "digits_torchscript" in said
    assert (tmp_path / "trb-demo" / "model_repository" / "digits_onnx" / "config.pbtxt").exists()


def install_torch(python: Path, *, cwd: Path) -> None:
    """Install the CPU build that this environment has: PyPI's for Linux brings gigabytes of CUDA."""
    import torch

    wanted = [*INSTALL, "--no-deps", f"torch=={torch.__version__}"]
    try:
        run(python, *wanted, cwd=cwd)
    except AssertionError:
        run(python, *wanted, "--index-url", "https://download.pytorch.org/whl/cpu", cwd=cwd)
